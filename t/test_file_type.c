/* File types by their first bytes, signatures in a stream, and what responses claim. */
#include "inspect/claims.h"
#include "inspect/file_type.h"
#include "inspect/watch.h"
#include "t/tap.h"

#define LONG	"0123456789 abcdefgh 0123456789 abcdefgh 0123456789 abcdefgh 0123456789 abcdefgh 0123456789 abcdefgh " \
		"0123456789 abcdefgh 0123456789 abcdefgh"

static const struct { const char *name; struct slice start; bool whole; enum file_type type; } types[] = {
	{ "a program", SLICE("MZ\x90\0\3"), false, TYPE_EXECUTABLE },
	{ "ELF", SLICE("\x7f" "ELF\2\1\1"), false, TYPE_EXECUTABLE },
	{ "a shortcut", SLICE("L\0\0\0\1\x14\2\0\0\0"), false, TYPE_EXECUTABLE },
	{ "zip", SLICE("PK\3\4\x14"), false, TYPE_ARCHIVE },
	{ "7z", SLICE("7z\xbc\xaf\x27\x1c\0\4"), false, TYPE_ARCHIVE },
	{ "gzip", SLICE("\x1f\x8b\x08"), false, TYPE_ARCHIVE },
	{ "zstd, skipped frame", SLICE("\x5e\x2a\x4d\x18"), false, TYPE_ARCHIVE },
	{ "PDF", SLICE("%PDF-1.7\n"), false, TYPE_DOCUMENT },
	{ "PDF behind junk", SLICE("\1\2\3junk%PDF-1.7\n"), false, TYPE_DOCUMENT },
	{ "OLE", SLICE("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), false, TYPE_DOCUMENT },
	{ "PNG", SLICE("\x89PNG\r\n\x1a\n"), false, TYPE_IMAGE },
	{ "WebP", SLICE("RIFF1234WEBPVP8 "), false, TYPE_IMAGE },
	{ "WAVE", SLICE("RIFF1234WAVEfmt "), false, TYPE_MEDIA },
	{ "MP4", SLICE("\0\0\0\x20" "ftypisom"), false, TYPE_MEDIA },
	{ "AVIF is an image", SLICE("\0\0\0\x20" "ftypavif"), false, TYPE_IMAGE },
	{ "a shell script", SLICE("#!/bin/sh\n"), true, TYPE_SCRIPT },
	{ "a batch file, behind blanks", SLICE(" \r\n@ECHO off\r\n"), true, TYPE_SCRIPT },
	{ "PHP behind a mark", SLICE("\xef\xbb\xbf<?php\n"), true, TYPE_SCRIPT },
	{ "HTML", SLICE("<!DOCTYPE html>\n<html><script>\n" LONG LONG), false, TYPE_TEXT },
	{ "UTF-8", SLICE("gr\xc3\xbc\xc3\x9f dich\n" LONG LONG), false, TYPE_TEXT },
	{ "UTF-16", SLICE("\xff\xfeh\0i\0"), true, TYPE_TEXT },
	{ "a short text, all of it", SLICE("ok\n"), true, TYPE_TEXT },
	{ "a short text, the beginning", SLICE("ok\n"), false, TYPE_UNKNOWN },
	{ "a NUL in a text", SLICE(LONG "\0" LONG), false, TYPE_UNKNOWN },
	{ "nothing yet", SLICE(""), false, TYPE_UNKNOWN },
	{ "nothing at all", SLICE(""), true, TYPE_TEXT },
	{ "zeros", SLICE("\0\0\0\0\0\0\0\0\0\0"), false, TYPE_ARCHIVE },
	{ "noise", SLICE("\x9e\x01\xf3\x88\x7a"), false, TYPE_UNKNOWN },
};

static void
test_types(void)
{
	static char tar[512] = "name";
	static char iso[32774];
	unsigned sum = 0;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		is_str(file_type_name(file_type_of(guard_copy(types[i].start), types[i].whole)), file_type_name(types[i].type),
		    types[i].name);
	tar[511] = 'x';
	memset(tar + 148, ' ', 8);
	for (size_t i = 0; i < sizeof(tar); i++)
		sum += (unsigned char)tar[i];
	snprintf(tar + 148, 8, "%06o", sum);
	tar[155] = ' ';
	is_int(file_type_of(guard_copy(slice_make(tar, sizeof(tar))), false), TYPE_ARCHIVE, "a tar without magic number");
	tar[0]++;
	is_int(file_type_of(guard_copy(slice_make(tar, sizeof(tar))), false), TYPE_UNKNOWN, "whose sum is wrong");
	memset(iso, 1, sizeof(iso));
	memcpy(iso + 32769, "CD001", 5);
	is_int(file_type_of(guard_copy(slice_make(iso, sizeof(iso))), false), TYPE_ARCHIVE, "a disk image");
}

/* STREAM in pieces of PIECE: from where on it is taken for an archive; SIZE_MAX when never. */
static size_t
watched(struct slice stream, size_t piece)
{
	struct watch w = { 0 };
	struct slice kept, rest;
	size_t seen = 0;

	while (stream.len > 0) {
		struct slice bytes = guard_copy(slice_head(stream, piece));

		if (watch_push(&w, bytes, &kept, &rest))
			return seen + bytes.len - rest.len - kept.len;
		seen += bytes.len;
		stream = slice_skip(stream, piece);
	}
	return SIZE_MAX;
}

static void
test_watch(void)
{
	static const struct { const char *name; struct slice stream; size_t at; } streams[] = {
		{ "zip", SLICE("junk and PPK\3\4rest"), 10 },
		{ "zip in front", SLICE("PK\3\4rest"), 0 },
		{ "7z", SLICE("7z\xbc\xaf\x27" "7z\xbc\xaf\x27\x1c"), 5 },
		{ "rar", SLICE("MZ Rar!\x1a Rar!\x1a\x07"), 9 },
		{ "cab before zip", SLICE("MSCF PK\3\4"), 0 },
		{ "zip before cab", SLICE("xPK\3\4MSCF"), 1 },
		{ "none", SLICE("PK\3 \4 7z MSC Rar!"), SIZE_MAX },
		{ "none at the end", SLICE("PK\3"), SIZE_MAX },
		{ "nothing", SLICE(""), SIZE_MAX },
	};

	for (size_t i = 0; i < sizeof(streams) / sizeof(*streams); i++)
		for (size_t piece = 1; piece < 20; piece++)
			ok(watched(streams[i].stream, piece) == streams[i].at, "%s in pieces of %zu", streams[i].name, piece);
}

static void
test_claims(void)
{
	ok(claims_file(SLICE("text/html"), SLICE("attachment; filename=x")), "an attachment");
	ok(claims_file(SLICE(""), SLICE(" Attachment")), "in any case");
	ok(!claims_file(SLICE("text/html"), SLICE("inline; filename=attachment")), "inline is none");
	ok(claims_file(SLICE("text/html"), SLICE("inline; filename=\"x.zip\"")), "but for its name");
	ok(claims_file(SLICE("text/html"), SLICE("inline;a=b; filename*=UTF-8''%e2%82%ac.exe ")), "or its other name");
	ok(claims_file(SLICE("text/html"), SLICE("file")) && claims_file(SLICE(""), SLICE("attachment filename=\"x\"")), "whatever is not inline");
	ok(claims_file(SLICE(""), SLICE("inline; filename=\"x;setup.exe\"")), "a name with a semicolon");
	ok(!claims_file(SLICE(""), SLICE("form-data; name=\"a\"")) && claims_file(SLICE(""), SLICE("form-data; name=a; filename=a.exe")),
	    "parts of a form");
	ok(claims_file(SLICE("application/octet-stream"), SLICE("")), "octets");
	ok(claims_file(SLICE("Application/ZIP; charset=x"), SLICE("")), "zip, with a parameter");
	ok(!claims_file(SLICE("application/json"), SLICE("")), "JSON");
	ok(!claims_file(SLICE("application/javascript"), SLICE("")), "programs of pages");
	ok(!claims_file(SLICE("application/"), SLICE("")) && !claims_file(SLICE(""), SLICE("")), "nothing");
	ok(is_file_name(SLICE("patch.EXE")) && is_file_name(SLICE("a.tar.gz")) && is_file_name(SLICE(".zip")), "names");
	ok(!is_file_name(SLICE("exe")) && !is_file_name(SLICE("index.html")) && !is_file_name(SLICE("x.")) && !is_file_name(SLICE("")),
	    "no names");
}

int
main(void)
{
	test_types();
	test_watch();
	test_claims();
	return tap_done();
}
