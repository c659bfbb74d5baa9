#include "inspect/claims.h"

/* Words by their first byte: both tables are asked for nearly every response. */
#define WORDS(...)	((const char *const[]){ __VA_ARGS__, NULL })

/* Without the "application/" in front. */
static const char *const *const types[UINT8_MAX + 1] = {
	['d'] = WORDS("download"),
	['f'] = WORDS("force-download"),
	['g'] = WORDS("gzip"),
	['h'] = WORDS("hta"),
	['j'] = WORDS("java-archive"),
	['o'] = WORDS("octet-stream"),
	['v'] = WORDS("vnd.microsoft.portable-executable", "vnd.rar", "vnd.ms-cab-compressed", "vnd.android.package-archive"),
	['x'] = WORDS("x-download", "x-msdownload", "x-msdos-program", "x-dosexec", "x-executable", "x-msi", "x-ms-installer",
	    "x-sharedlib", "x-apple-diskimage", "x-iso9660-image", "x-zip-compressed", "x-7z-compressed", "x-rar-compressed",
	    "x-rar", "x-tar", "x-gzip", "x-gtar", "x-compressed", "x-bzip", "x-bzip2", "x-xz", "x-java-archive",
	    "x-debian-package", "x-rpm", "x-ms-shortcut", "x-msmetafile"),
	['z'] = WORDS("zip", "zstd"),
};

static const char *const *const endings[UINT8_MAX + 1] = {
	['7'] = WORDS("7z"),
	['a'] = WORDS("ace", "apk", "arj"),
	['b'] = WORDS("bat", "bin", "bz2"),
	['c'] = WORDS("cab", "chm", "cmd", "com", "cpl"),
	['d'] = WORDS("deb", "dll", "dmg", "doc", "docm", "docx"),
	['e'] = WORDS("exe"),
	['g'] = WORDS("gz"),
	['h'] = WORDS("hta"),
	['i'] = WORDS("img", "iso"),
	['j'] = WORDS("jar", "jse"),
	['l'] = WORDS("lnk", "lzh"),
	['m'] = WORDS("msi", "msix", "msp"),
	['o'] = WORDS("ocx", "one"),
	['p'] = WORDS("pif", "pkg", "ppt", "pptm", "ps1"),
	['r'] = WORDS("rar", "reg", "rpm", "rtf"),
	['s'] = WORDS("scr", "sys"),
	['t'] = WORDS("tar", "tgz"),
	['v'] = WORDS("vbe", "vbs", "vhd", "vhdx"),
	['w'] = WORDS("wim", "wsf", "wsh"),
	['x'] = WORDS("xls", "xlsb", "xlsm", "xlsx", "xz"),
	['z'] = WORDS("z", "zip", "zst"),
};

static bool
is_one_of(struct slice s, const char *const *const words[static UINT8_MAX + 1])
{
	const char *const *word = s.len > 0 ? words[(uint8_t)ascii_lower(s.p[0])] : NULL;

	for (; word != NULL && *word != NULL; word++)
		if (slice_ieq(s, slice_str(*word)))
			return true;
	return false;
}

bool
is_file_name(struct slice name)
{
	size_t at = name.len;

	while (at > 0 && name.p[at - 1] != '.')
		at--;
	return at > 0 && is_one_of(slice_skip(name, at), endings);
}

/* The end of filename="..." or filename*=charset'language'...; only how it ends counts, so quotes and %XX before that may stay. */
static bool
names_file(struct slice parameter)
{
	struct slice name, value;

	if (!slice_cut(parameter, '=', &name, &value))
		return false;
	name = slice_trim(name);
	value = slice_trim(value);
	if (value.len > 0 && value.p[value.len - 1] == '"')
		value.len--;
	return slice_istarts(name, SLICE("filename")) && is_file_name(value);
}

/* Of a disposition that is not known, too, clients make a file (RFC 6266 4.2); that of a form's part is known, and names it. */
static bool
is_disposed(struct slice disposition)
{
	struct slice word, rest;

	slice_cut(disposition, ';', &word, &rest);
	word = slice_trim(word);
	if (word.len > 0 && !slice_ieq(word, SLICE("inline")) && !slice_ieq(word, SLICE("form-data")))
		return true;
	/* A ";" within quotes cuts a name in two: both halves are asked. */
	while (rest.len > 0) {
		slice_cut(rest, ';', &word, &rest);
		if (word.len > 0 && word.p[word.len - 1] == '"')
			word.len--;
		if (names_file(word) || is_file_name(slice_trim(word)))
			return true;
	}
	return false;
}

bool
claims_file(struct slice type, struct slice disposition)
{
	struct slice word;

	if (disposition.len > 0 && is_disposed(disposition))
		return true;
	slice_cut(type, ';', &word, NULL);
	word = slice_trim(word);
	return slice_istarts(word, SLICE("application/")) &&
	    is_one_of(slice_skip(word, sizeof("application/") - 1), types);
}
