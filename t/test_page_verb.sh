#!/usr/bin/env bash
# firebreak page, and a site's pages on their way into a generation: refused where they are bad, and the last good ones stay.  TAP.
set -u
. "${top_srcdir:-.}/t/verb.sh"
state=$work/state pages=$work/state/pages
mkdir -p "$state/sources" "$work/lists"
cp "${top_srcdir:-.}"/etc/*.txt "$work/lists" 2>/dev/null
no_lookalikes "$work/lists"
export FIREBREAK_LISTS=$work/lists
samples=${top_srcdir:-.}/etc/pages
# The pages of the live generation, as its segment has them.
live() { cat "$state"/rules/"$(sed -n 's/^segment site \([^ ]*\) .*/\1/p' "$state/rules/MANIFEST")"; }
printf 'block host .bad.example id=bad\n' >"$state/sources/local.rules"
printf '%s\n' 'Contact "extension <4242>"' 'Organisation "Example & Sons"' 'MistakeLink mailto:help@example.com?subject={incident}' >"$state/site.conf"

# ---- without any ----
fb 0 "nothing to check" page check; has "all languages are firebreak's" "de       block: firebreak's  warn: firebreak's" "$out"
fb 0 "firebreak's own page" page show --lang fr
has "in French" '<html lang="fr">' "$out"; has "with the site's contact, escaped" "extension &lt;4242&gt;" "$out"
has "with what the file is" "patch.exe, variante 2 sur 3" "$out"
has "with the mistake link" 'href="mailto:help@example.com?subject=1M' "$out"
fb 0 "as text" page show --form text --reason host; has "one line" "extension <4242>" "$out"; is "one" "$(wc -l <<<"$out")" 1
fb 0 "as data" page show --form json; has "JSON" '"organisation":"Example & Sons"' "$out"; jq -e .mistake_link <<<"$out" >/dev/null; ok $? "which can be read" "$out"
fb 0 "a warning" page show --kind warn; has "has a way on" '<form method="post"' "$out"
for reason in host url path address lookalike file file-name file-again partial no-rules odd-host bad-url damaged unscannable limit no-memory; do
	fb 0 "reason $reason" page show --reason $reason
done
fb 2 "no such reason" page show --reason nothing
fb 2 "no such language" page show --lang it
fb 2 "no such form" page show --form pdf
fb 2 "no such doing" page print
fb 0 "words to translate" page words; words=$out
has "one of them" "advice_later = Try again in a few minutes." "$out"; has "sentences, too" "says_site = {host} is listed as harmful: {what}" "$out"
fb 2 "of no language" page words --lang it
for kind in block warn; do fb 0 "firebreak's own" page show --kind $kind; has "$kind: a long host is wrapped on a phone" "body{margin:0;overflow-wrap:anywhere" "$out"; done
fb 0 "published without any" publish

# ---- the samples ----
mkdir "$pages"; install -m 644 "$samples"/* "$pages"
fb 0 "the samples are fine" page check; has "also in Italian" "it       block: the site's own  warn: the site's own" "$out"; is "without a word" "$err" ""
fb 0 "as JSON" page check --json; is "all languages" "$(jq -c '[.languages[].language]' <<<"$out")" '["en","de","fr","el","es","it"]'
fb 0 "in Italian" page show --lang it
has "its words" "<h1>Questo download è bloccato</h1>" "$out"; has "its language" '<html lang="it">' "$out"
has "a long host is wrapped" "body{margin:0;overflow-wrap:anywhere" "$out"
has "its numbers" "variante 2 di 3, 100.352 byte, da «Fake Mail Server" "$out"
hasnot "no comment is sent" "<!--" "$out"; hasnot "nothing is left of the template" "{{" "$out"
fb 0 "a hostile host" page show --host '"><script>{{incident}}'
has "is text" "&quot;&gt;&lt;script&gt;{{incident}}" "$out"; hasnot "and nothing else" "<script" "$out"
sed -i "s,<main>,<main title='{{heading}}' aria-label='{{word_site}}'>," "$pages/block.html"
printf '%s\n' "heading_download = l'un' onclick='alert(1)" "site = d' style='x" >"$pages/fr.words"
fb 0 "words with apostrophes, in an attribute with such quotes" page show --lang fr
has "stay within it" "<main title='l&#39;un&#39; onclick=&#39;alert(1)' aria-label='d&#39; style=&#39;x'>" "$out"
install -m 644 "$samples/block.html" "$pages"
grep -v '^call' <<<"$words" >"$pages/fr.words"; fb 0 "a language that firebreak has needs only some words" page check
rm "$pages/fr.words"
mkdir "$work/logo"; base64 -d >"$work/logo/logo.png" <<<iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAADElEQVR4nGNgGB4AAADIAAGtQHYiAAAAAElFTkSuQmCC
fb 0 "a logo alone" page check --folder "$work/logo"; has "is shown by no page, which is said" "which none shows" "$out"
fb 0 "published" publish
live | grep -q "Bloccato per la vostra"; ok $? "the generation has them"
cp "$state/rules/MANIFEST" "$work/good"

# ---- a bad one ----
sed 's/<style>/&a{background:url(x)}/' "$pages/block.html" >"$work/logo/block.html"
fb 1 "a style sheet that fetches" page check --folder "$work/logo"; has "with the whole sentence" ": in a style sheet: url(): a page fetches nothing from elsewhere" "$err"
sed -i 's/{{incident}}/{{incidant}}/' "$pages/block.html"
line=$(grep -n incidant "$pages/block.html" | cut -d: -f1)
fb 1 "a mistake is found" page check; has "where it is" "$pages/block.html:$line:15: error: no such placeholder: incidant" "$err"
fb 1 "and not shown" page show
fb 1 "as JSON" page check --json; is "with its place" "$(jq -r '.findings[0] | "\(.line):\(.column)"' <<<"$out")" "$line:15"
fb 2 "nor published" publish; has "as publish says" "$pages/block.html:$line:15: error:" "$err"
same "what is live stays" "$state/rules/MANIFEST" "$work/good"
fb 0 "a rule in a hurry does not wait for it" block --for 7d .worse.example
live | grep -q "Bloccato per la vostra"; ok $? "and the last good pages stay"
fb 2 "a dry run finds it, too" publish --dry-run
install -m 644 "$samples/block.html" "$pages"
for mistake in 's,<main>,<main onclick="x()">,' 's,<title>,<script>,' 's,{{continue_form}},,' 's,{{incident}},,' "s,{{logo}},http://x/y.png," 's,</h1>,,'; do
	sed "$mistake" "$samples/warn.html" >"$pages/warn.html"
	fb 2 "not published: $mistake" publish; has "it says where" "$pages/warn.html:" "$err"
done
install -m 644 "$samples/warn.html" "$pages"
printf '%s\n' "# a comment" "MistakeLink http://x/{incident}" >"$work/conf"; cp "$state/site.conf" "$work/site.conf"; cp "$work/conf" "$state/site.conf"
fb 2 "a mistake link that is none" publish; has "it says where" "site.conf:2:1: error: MistakeLink" "$err"
fb 1 "as the check does" page check; has "with the same words" "site.conf:2:1: error: MistakeLink" "$err"
printf 'PagesFolder %s\n' "$work/nowhere" >"$state/site.conf"
fb 2 "a folder that is not there" publish; has "is named" "$work/nowhere" "$err"
mkdir "$work/elsewhere"; install -m 644 "$samples"/* "$work/elsewhere"; sed -i 's/<main>/<main>elsewhere /' "$work/elsewhere/block.html"
printf 'PagesFolder %s\n' "$work/elsewhere" >"$state/site.conf"
fb 0 "a folder elsewhere" publish; live | grep -q "elsewhere"; ok $? "is the one"
cp "$work/site.conf" "$state/site.conf"

# ---- what an alert says of its files ----
"$firebreak" --state "$work/imported" import "${top_srcdir:-.}/etc/alert-19190.txt" >/dev/null 2>&1
has "a rule that an alert made knows which of its files it is" \
	'100352:md5:0ee4f395dd071f169e95e34454bbf446 id=file-2' "$(grep 'note="variant 2 of 3 of Threat Outbreak Alert: Fake Mail Server Upgrade.*, published 2009-10-28"' "$work"/imported/sources/*.rules)"
printf '{"id":"7","title":"%s","files":[{"name":"a.exe","size":100,"md5":"%s"}]}' "\\\"} <b>{{incident}} $(printf 'ü%.0s' $(seq 200))" \
	0ee4f395dd071f169e95e34454bbf446 >"$work/alert.json"
"$firebreak" --state "$work/imported" import "$work/alert.json" >/dev/null 2>&1; ok $? "an alert with a hostile title"
has "is one rule" 'note="variant 1 of 1 of' "$(cat "$work/imported/sources/alert-7.rules")"
"$firebreak" --state "$work/imported" publish >/dev/null 2>&1; ok $? "that can be published"

# ---- and back ----
rm -r "$pages"
fb 0 "no pages any more" publish; ! live | grep -q "Bloccato per la vostra"; ok $? "they are gone"
fb 0 "a rollback" rollback; live | grep -q "elsewhere"; ok $? "takes pages back, too"
fb 0 "all of it holds together" status --verify
tap_done
