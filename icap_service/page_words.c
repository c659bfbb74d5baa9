#include "icap_service/page_words.h"

#include "icap_service/fields.h"

enum { WHAT_MAX = 1 << 20, WHAT_USUAL = 512 };

const struct page_words page_languages[PAGE_LANGUAGES] = {
	{
		.tag = { "en", 2 },
		.title = "Blocked for your safety",
		.heading = { "This site is blocked", "This download is blocked", "This upload is blocked",
		    "This could not be checked, so it is blocked", "This site may not be what it looks like" },
		.why = "Why",
		.advice = {
		    "Do not enter a password or open anything that this site or the message that led you here offers. If you "
		    "already did, "
		    "say so when you call.",
		    "Do not try to get the file another way. If you already opened it, switch the computer off the network and "
		    "call at once.",
		    "Ask for it unpacked, or without a password, and call if you need it as it is.",
		    "Send it unpacked, or without a password, and call if it has to go as it is.",
		    "Start the download again from the beginning instead of resuming it.", "Try again in a few minutes.",
		    "If a message led you here, or you do not know this site, close this page: do not enter a password." },
		.call = "Questions, or is this a mistake? Call", .read_out = "and read out this number:",
		.site = "Site", .rule = "Rule", .revision = "revision", .alert = "Alert", .time = "Time",
		.go_on = "I know this site: continue",
	},
	{
		.tag = { "de", 2 },
		.title = "Zu Ihrer Sicherheit gesperrt",
		.heading = { "Diese Seite ist gesperrt", "Dieser Download ist gesperrt", "Dieser Upload ist gesperrt",
		    "Dies konnte nicht geprüft werden und ist deshalb gesperrt",
		    "Diese Seite ist vielleicht nicht, was sie scheint" },
		.why = "Warum",
		.sentence = { "{host} ist als schädlich gelistet: {what}",
		    "{host} sieht aus wie {target}, gehört aber zu {owner}",
		    "{host} sieht aus wie eine bekannte Adresse, gehört aber zu {owner}",
		    "diese Datei ist als schädlich gelistet: {what}",
		    "unter dieser Adresse kam eine Datei, die als schädlich gelistet ist: {what}",
		    "ein Teil einer Datei lässt sich nicht prüfen, und dieser kann von einer schädlichen sein; nur die ganze "
		    "lässt sich prüfen",
		    "in diese Datei konnte nicht hineingesehen werden ({what})", "konnte nicht geprüft werden ({what})" },
		.advice = {
		    "Geben Sie kein Passwort ein und öffnen Sie nichts, was diese Seite oder die Nachricht, die Sie hierher "
		    "führte, anbietet. Falls "
		    "doch geschehen, sagen Sie es bitte, wenn Sie anrufen.",
		    "Versuchen Sie nicht, die Datei auf anderem Weg zu bekommen. Falls Sie sie schon geöffnet haben, trennen Sie "
		    "den Computer vom "
		    "Netz und rufen Sie sofort an.",
		    "Bitten Sie um die Datei ausgepackt oder ohne Passwort, und rufen Sie an, wenn Sie sie so brauchen.",
		    "Senden Sie die Datei ausgepackt oder ohne Passwort, und rufen Sie an, wenn sie so gesendet werden muss.",
		    "Beginnen Sie den Download von vorn, statt ihn fortzusetzen.",
		    "Versuchen Sie es in ein paar Minuten noch einmal.",
		    "Wenn eine Nachricht Sie hierher führte oder Sie diese Seite nicht kennen, schließen Sie sie: Geben Sie kein "
		    "Passwort ein." },
		.call = "Fragen, oder ist das ein Irrtum? Rufen Sie an:", .read_out = "– und nennen Sie diese Nummer:",
		.site = "Seite", .rule = "Regel", .revision = "Fassung", .alert = "Warnmeldung", .time = "Zeit",
		.go_on = "Ich kenne diese Seite: weiter",
	},
	{
		.tag = { "fr", 2 },
		.title = "Bloqué pour votre sécurité",
		.heading = { "Ce site est bloqué", "Ce téléchargement est bloqué", "Cet envoi est bloqué",
		    "Ceci n’a pas pu être vérifié et est donc bloqué", "Ce site n’est peut-être pas ce qu’il paraît" },
		.why = "Pourquoi",
		.sentence = { "{host} est répertorié comme nuisible : {what}",
		    "{host} ressemble à {target}, mais appartient à {owner}",
		    "{host} ressemble à une adresse connue, mais appartient à {owner}",
		    "ce fichier est répertorié comme nuisible : {what}",
		    "cette adresse a fourni un fichier répertorié comme nuisible : {what}",
		    "une partie d’un fichier ne peut pas être vérifiée, et celle-ci vient peut-être d’un fichier nuisible "
		    "; seul le fichier entier "
		    "peut l’être",
		    "le contenu de ce fichier n’a pas pu être examiné ({what})", "n’a pas pu être vérifié ({what})" },
		.advice = {
		    "N’entrez aucun mot de passe et n’ouvrez rien de ce que proposent ce site ou le message qui vous a mené "
		    "ici. Si vous l’avez "
		    "déjà fait, dites-le en appelant.",
		    "N’essayez pas d’obtenir le fichier autrement. Si vous l’avez déjà ouvert, débranchez l’ordinateur "
		    "du réseau et appelez "
		    "immédiatement.",
		    "Demandez-le décompressé ou sans mot de passe, et appelez s’il vous le faut tel quel.",
		    "Envoyez-le décompressé ou sans mot de passe, et appelez s’il doit partir tel quel.",
		    "Recommencez le téléchargement depuis le début au lieu de le reprendre.",
		    "Réessayez dans quelques minutes.",
		    "Si un message vous a mené ici ou si vous ne connaissez pas ce site, fermez cette page : n’entrez aucun mot "
		    "de passe." },
		.call = "Une question, ou est-ce une erreur ? Appelez", .read_out = "et lisez ce numéro :",
		.site = "Site", .rule = "Règle", .revision = "révision", .alert = "Alerte", .time = "Heure",
		.go_on = "Je connais ce site : continuer",
	},
	{
		.tag = { "el", 2 },
		.title = "Αποκλείστηκε για την ασφάλειά σας",
		.heading = { "Αυτός ο ιστότοπος είναι αποκλεισμένος",
		    "Αυτή η λήψη είναι αποκλεισμένη",
		    "Αυτή η αποστολή είναι αποκλεισμένη",
		    "Δεν ήταν δυνατός ο έλεγχος, γι’ αυτό αποκλείστηκε",
		    "Αυτός ο ιστότοπος ίσως δεν είναι αυτό που φαίνεται" },
		.why = "Γιατί",
		.sentence = { "το {host} είναι καταχωρισμένο ως επιβλαβές: {what}",
		    "το {host} μοιάζει με {target}, αλλά ανήκει στο {owner}",
		    "το {host} μοιάζει με γνωστή διεύθυνση, αλλά ανήκει στο {owner}",
		    "αυτό το αρχείο είναι καταχωρισμένο ως επιβλαβές: {what}",
		    "αυτή η διεύθυνση έδωσε αρχείο που είναι καταχωρισμένο ως "
		    "επιβλαβές: {what}",
		    "ένα μέρος αρχείου δεν μπορεί να ελεγχθεί, και αυτό ίσως "
		    "ανήκει σε επιβλαβές αρχείο· μόνο ολόκληρο ελέγχεται",
		    "δεν ήταν δυνατό να εξεταστεί το περιεχόμενο του αρχείου "
		    "({what})", "δεν ήταν δυνατός ο έλεγχος ({what})" },
		.advice = {
		    "Μην πληκτρολογήσετε κωδικό και μην ανοίξετε τίποτα από όσα "
		    "προσφέρει αυτός ο ιστότοπος ή το μήνυμα που σας έφερε εδώ. "
		    "Αν το "
		    "κάνατε ήδη, πείτε το όταν καλέσετε.",
		    "Μην προσπαθήσετε να πάρετε το αρχείο με άλλον τρόπο. Αν το "
		    "ανοίξατε ήδη, αποσυνδέστε τον υπολογιστή από το δίκτυο και "
		    "καλέστε αμέσως.",
		    "Ζητήστε το αποσυμπιεσμένο ή χωρίς κωδικό, και καλέστε αν το "
		    "χρειάζεστε όπως είναι.",
		    "Στείλτε το αποσυμπιεσμένο ή χωρίς κωδικό, και καλέστε αν "
		    "πρέπει να σταλεί όπως είναι.",
		    "Ξεκινήστε τη λήψη από την αρχή αντί να τη συνεχίσετε.",
		    "Δοκιμάστε ξανά σε λίγα λεπτά.",
		    "Αν σας έφερε εδώ κάποιο μήνυμα ή δεν γνωρίζετε αυτόν τον "
		    "ιστότοπο, κλείστε τη σελίδα: μην πληκτρολογήσετε κωδικό." },
		.call = "Απορίες, ή πρόκειται για λάθος; Καλέστε", .read_out = "και "
		    "διαβάστε αυτόν τον αριθμό:",
		.site = "Ιστότοπος", .rule = "Κανόνας", .revision = "αναθεώρηση",
		.alert = "Προειδοποίηση", .time = "Ώρα",
		.go_on = "Γνωρίζω αυτόν τον ιστότοπο: συνέχεια",
	},
	{
		.tag = { "es", 2 },
		.title = "Bloqueado por su seguridad",
		.heading = { "Este sitio está bloqueado", "Esta descarga está bloqueada", "Este envío está bloqueado",
		    "No se pudo comprobar y por eso está bloqueado", "Este sitio quizá no sea lo que parece" },
		.why = "Por qué",
		.sentence = { "{host} figura como dañino: {what}", "{host} se parece a {target}, pero pertenece a {owner}",
		    "{host} se parece a una dirección conocida, pero pertenece a {owner}",
		    "este archivo figura como dañino: {what}",
		    "esta dirección dio un archivo que figura como dañino: {what}",
		    "una parte de un archivo no se puede comprobar, y esta puede ser de uno dañino; solo se puede comprobar "
		    "entero",
		    "no se pudo examinar el contenido de este archivo ({what})", "no se pudo comprobar ({what})" },
		.advice = {
		    "No escriba ninguna contraseña ni abra nada de lo que ofrezcan este sitio o el mensaje que le trajo aquí. Si "
		    "ya lo hizo, dígalo "
		    "al llamar.",
		    "No intente obtener el archivo de otra forma. Si ya lo abrió, desconecte el equipo de la red y llame de "
		    "inmediato.",
		    "Pídalo descomprimido o sin contraseña, y llame si lo necesita tal como está.",
		    "Envíelo descomprimido o sin contraseña, y llame si tiene que enviarse tal como está.",
		    "Empiece la descarga de nuevo en vez de reanudarla.", "Inténtelo de nuevo dentro de unos minutos.",
		    "Si un mensaje le trajo aquí o no conoce este sitio, cierre esta página: no escriba ninguna contraseña." },
		.call = "¿Preguntas, o es un error? Llame a", .read_out = "y lea este número:",
		.site = "Sitio", .rule = "Regla", .revision = "revisión", .alert = "Alerta", .time = "Hora",
		.go_on = "Conozco este sitio: continuar",
	},
};

const struct page_words *
page_words_for(struct slice value)
{
	struct slice tags[PAGE_LANGUAGES];

	for (size_t i = 0; i < PAGE_LANGUAGES; i++)
		tags[i] = page_languages[i].tag;
	return &page_languages[accept_language_pick(value, tags, PAGE_LANGUAGES)];
}

/* What kind of thing REASON is about. */
enum about { ABOUT_SITE, ABOUT_FILE, ABOUT_PART, ABOUT_CONTENT, ABOUT_NOTHING };

static enum about
about(enum reason reason)
{
	switch (reason) {
	case REASON_HOST:
	case REASON_URL:
	case REASON_PATH:
	case REASON_ADDRESS:
	case REASON_LOOKALIKE:
		return ABOUT_SITE;
	case REASON_FILE:
	case REASON_FILE_NAME:
	case REASON_FILE_AGAIN:
		return ABOUT_FILE;
	case REASON_PARTIAL:
		return ABOUT_PART;
	case REASON_UNSCANNABLE:
		return ABOUT_CONTENT;
	case REASON_NO_RULES:
	case REASON_ODD_HOST:
	case REASON_BAD_URL:
	case REASON_DAMAGED:
	case REASON_LIMIT:
	case REASON_NO_MEMORY:
	case REASON_NONE:
	case REASONS:
		break;
	}
	return ABOUT_NOTHING;
}

enum page_heading
page_heading_of(enum reason reason, bool is_upload, bool warns)
{
	enum about what = about(reason);

	if (warns)
		return HEADING_WARNING;
	if (what == ABOUT_SITE)
		return HEADING_SITE;
	return what == ABOUT_NOTHING ? HEADING_UNCHECKED : is_upload ? HEADING_UPLOAD : HEADING_DOWNLOAD;
}

enum page_advice
page_advice_of(enum reason reason, bool is_upload, bool warns)
{
	static const enum page_advice advices[] = { [ABOUT_SITE] = ADVICE_SITE, [ABOUT_FILE] = ADVICE_FILE, [ABOUT_PART] = ADVICE_PARTIAL,
		[ABOUT_CONTENT] = ADVICE_UNSCANNABLE, [ABOUT_NOTHING] = ADVICE_LATER };
	enum page_advice advice = warns ? ADVICE_WARNING : advices[about(reason)];

	return advice == ADVICE_UNSCANNABLE && is_upload ? ADVICE_UNSCANNABLE_UPLOAD : advice;
}

static enum page_sentence
sentence_of(const struct why *why, enum reason reason)
{
	switch (about(reason)) {
	case ABOUT_SITE:
		return reason != REASON_LOOKALIKE ? SAYS_SITE : why->lookalike.target.len > 0 ? SAYS_LOOKALIKE : SAYS_LURE;
	case ABOUT_FILE:
		return reason == REASON_FILE_AGAIN ? SAYS_FILE_AGAIN : SAYS_FILE;
	case ABOUT_PART:
		return SAYS_PARTIAL;
	case ABOUT_CONTENT:
		return SAYS_UNSCANNABLE;
	case ABOUT_NOTHING:
		break;
	}
	return SAYS_UNCHECKED;
}

/* Append what {what} stands for. */
static int
add_what(const struct why *why, enum reason reason, struct buf *out)
{
	const struct rule *rule = why->has_rule ? &why->rule : &why->would;

	if (about(reason) == ABOUT_CONTENT)
		return buf_add_str(out, unscannable_text(why->steps[0].unscannable));
	if (about(reason) == ABOUT_NOTHING)
		return buf_add_str(out, reason_name(reason));
	if (about(reason) == ABOUT_FILE && rule->name.len > 0)
		return buf_add_slice(out, rule->name);
	return rule_value_format(rule, out);
}

/* Append what FIELD, a word in braces, stands for. */
static void
add_field(struct slice field, const struct why *why, enum reason reason, struct slice host, struct buf *out)
{
	char space[WHAT_USUAL];
	struct buf what;

	if (slice_eq(field, SLICE("host"))) {
		buf_add_utf8(out, host);
	} else if (slice_eq(field, SLICE("target"))) {
		buf_add_utf8(out, why->lookalike.target);
	} else if (slice_eq(field, SLICE("owner"))) {
		buf_add_utf8(out, why->lookalike.registrable);
	} else {
		buf_init_in(&what, space, sizeof(space), WHAT_MAX);
		out->failed |= add_what(why, reason, &what) == -1;
		buf_add_utf8(out, buf_slice(&what));
		buf_fini(&what);
	}
}

int
page_sentence_format(const struct page_words *words, const struct why *why, struct slice host, struct buf *out)
{
	enum reason reason = why_reason(why);
	struct slice rest = slice_str(words->sentence[sentence_of(why, reason)]), text, field;

	if (rest.len == 0)
		return why_format_sentence(why, host, out);
	while (slice_cut(rest, '{', &text, &rest)) {
		buf_add_slice(out, text);
		slice_cut(rest, '}', &field, &rest);
		add_field(field, why, reason, host, out);
	}
	buf_add_slice(out, text);
	return out->failed ? -1 : 0;
}
