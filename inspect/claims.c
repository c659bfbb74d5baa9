#include "inspect/claims.h"

/* Without the "application/" in front. */
static const char *const types[] = {
	"octet-stream", "force-download", "download", "x-download", "x-msdownload", "x-msdos-program", "x-dosexec", "x-executable",
	"x-msi", "x-ms-installer", "vnd.microsoft.portable-executable", "x-sharedlib", "x-apple-diskimage", "x-iso9660-image",
	"zip", "x-zip-compressed", "x-7z-compressed", "vnd.rar", "x-rar-compressed", "x-rar", "vnd.ms-cab-compressed", "x-tar",
	"gzip", "x-gzip", "x-gtar", "x-compressed", "x-bzip", "x-bzip2", "x-xz", "zstd", "java-archive", "x-java-archive",
	"x-debian-package", "x-rpm", "vnd.android.package-archive", "hta", "x-ms-shortcut", "x-msmetafile",
};

static const char *const endings[] = {
	"7z", "ace", "apk", "arj", "bat", "bin", "bz2", "cab", "chm", "cmd", "com", "cpl", "deb", "dll", "dmg", "doc", "docm",
	"docx", "exe", "gz", "hta", "img", "iso", "jar", "jse", "lnk", "lzh", "msi", "msix", "msp", "ocx", "one", "pif",
	"pkg", "ppt", "pptm", "ps1", "rar", "reg", "rpm", "rtf", "scr", "sys", "tar", "tgz", "vbe", "vbs", "vhd", "vhdx",
	"wim", "wsf", "wsh", "xls", "xlsb", "xlsm", "xlsx", "xz", "z", "zip", "zst",
};

static bool
is_one_of(struct slice s, const char *const *words, size_t n)
{
	char first = s.len > 0 ? ascii_lower(s.p[0]) : '\0';

	for (size_t i = 0; i < n; i++)
		if (words[i][0] == first && slice_ieq(s, slice_str(words[i])))
			return true;
	return false;
}

bool
is_file_name(struct slice name)
{
	size_t at = name.len;

	while (at > 0 && name.p[at - 1] != '.')
		at--;
	return at > 0 && is_one_of(slice_skip(name, at), endings, sizeof(endings) / sizeof(*endings));
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

	if (is_disposed(disposition))
		return true;
	slice_cut(type, ';', &word, NULL);
	word = slice_trim(word);
	return slice_istarts(word, SLICE("application/")) &&
	    is_one_of(slice_skip(word, sizeof("application/") - 1), types, sizeof(types) / sizeof(*types));
}
