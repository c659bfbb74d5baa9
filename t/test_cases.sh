#!/usr/bin/env bash
# Every case, as written and in small reads, through the fake server.
exec "${top_builddir:-.}/t/replay/replay" "${top_srcdir:-.}"/t/cases/*.case
