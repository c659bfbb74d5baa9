#include "templates/page_words.h"

const struct page_word_kind page_word_kinds[PAGE_WORDS] = {
#define WORD(upper, name, needs) { #name, needs },
#include "templates/words.def"
#undef WORD
};

const struct page_words page_languages[PAGE_LANGUAGES] = {
	{
		.tag = { "en", 2 }, .text = {
		[WORD_TITLE] = "Blocked for your safety",
		[WORD_HEADING_SITE] = "This site is blocked", "This download is blocked", "This upload is blocked",
		    "This could not be checked, so it is blocked", "This site may not be what it looks like",
		[WORD_WHY] = "Why",
		[WORD_ADVICE_SITE] =
		    "Do not enter a password or open anything that this site or the message that led you here offers. If you "
		    "already did, "
		    "say so when you call.",
		    "Do not try to get the file another way. If you already opened it, switch the computer off the network and "
		    "call at once.",
		    "Ask for it unpacked, or without a password, and call if you need it as it is.",
		    "Send it unpacked, or without a password, and call if it has to go as it is.",
		    "Start the download again from the beginning instead of resuming it.", "Try again in a few minutes.",
		    "If a message led you here, or you do not know this site, close this page: do not enter a password.",
		[WORD_CALL] = "Questions, or is this a mistake? Call", [WORD_READ_OUT] = "and read out this number:",
		[WORD_SITE] = "Site", [WORD_RULE] = "Rule", [WORD_REVISION] = "revision", [WORD_ALERT] = "Alert", [WORD_TIME] = "Time",
		[WORD_GO_ON] = "I know this site: continue",
		[WORD_FILE] = "File",
		[WORD_MISTAKE] = "This is a mistake",
		[WORD_VARIANT] = "variant {k} of {n}",
		[WORD_BYTES] = "{size} bytes",
		[WORD_THOUSANDS] = ",",
		[WORD_OF] = "of “{title}”",
		[WORD_PUBLISHED] = "published {date}",
		[WORD_HELPDESK] = "your IT helpdesk",
	} },
	{
		.tag = { "de", 2 }, .text = {
		[WORD_TITLE] = "Zu Ihrer Sicherheit gesperrt",
		[WORD_HEADING_SITE] = "Diese Seite ist gesperrt", "Dieser Download ist gesperrt", "Dieser Upload ist gesperrt",
		    "Dies konnte nicht geprüft werden und ist deshalb gesperrt",
		    "Diese Seite ist vielleicht nicht, was sie scheint",
		[WORD_WHY] = "Warum",
		[WORD_SAYS_SITE] = "{host} ist als schädlich gelistet: {what}",
		    "{host} sieht aus wie {target}, gehört aber zu {owner}",
		    "{host} sieht aus wie eine bekannte Adresse, gehört aber zu {owner}",
		    "diese Datei ist als schädlich gelistet: {what}",
		    "unter dieser Adresse kam eine Datei, die als schädlich gelistet ist: {what}",
		    "ein Teil einer Datei lässt sich nicht prüfen, und dieser kann von einer schädlichen sein; nur die ganze "
		    "lässt sich prüfen",
		    "in diese Datei konnte nicht hineingesehen werden ({what})", "konnte nicht geprüft werden ({what})",
		[WORD_ADVICE_SITE] =
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
		    "Passwort ein.",
		[WORD_CALL] = "Fragen, oder ist das ein Irrtum? Rufen Sie an:", [WORD_READ_OUT] = "– und nennen Sie diese Nummer:",
		[WORD_SITE] = "Seite", [WORD_RULE] = "Regel", [WORD_REVISION] = "Fassung", [WORD_ALERT] = "Warnmeldung", [WORD_TIME] = "Zeit",
		[WORD_GO_ON] = "Ich kenne diese Seite: weiter",
		[WORD_FILE] = "Datei",
		[WORD_MISTAKE] = "Das ist ein Irrtum",
		[WORD_VARIANT] = "Variante {k} von {n}",
		[WORD_BYTES] = "{size} Bytes",
		[WORD_THOUSANDS] = ".",
		[WORD_OF] = "aus „{title}“",
		[WORD_PUBLISHED] = "veröffentlicht {date}",
		[WORD_HELPDESK] = "Ihren IT-Helpdesk",
	} },
	{
		.tag = { "fr", 2 }, .text = {
		[WORD_TITLE] = "Bloqué pour votre sécurité",
		[WORD_HEADING_SITE] = "Ce site est bloqué", "Ce téléchargement est bloqué", "Cet envoi est bloqué",
		    "Ceci n’a pas pu être vérifié et est donc bloqué", "Ce site n’est peut-être pas ce qu’il paraît",
		[WORD_WHY] = "Pourquoi",
		[WORD_SAYS_SITE] = "{host} est répertorié comme nuisible : {what}",
		    "{host} ressemble à {target}, mais appartient à {owner}",
		    "{host} ressemble à une adresse connue, mais appartient à {owner}",
		    "ce fichier est répertorié comme nuisible : {what}",
		    "cette adresse a fourni un fichier répertorié comme nuisible : {what}",
		    "une partie d’un fichier ne peut pas être vérifiée, et celle-ci vient peut-être d’un fichier nuisible "
		    "; seul le fichier entier "
		    "peut l’être",
		    "le contenu de ce fichier n’a pas pu être examiné ({what})", "n’a pas pu être vérifié ({what})",
		[WORD_ADVICE_SITE] =
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
		    "de passe.",
		[WORD_CALL] = "Une question, ou est-ce une erreur ? Appelez", [WORD_READ_OUT] = "et lisez ce numéro :",
		[WORD_SITE] = "Site", [WORD_RULE] = "Règle", [WORD_REVISION] = "révision", [WORD_ALERT] = "Alerte", [WORD_TIME] = "Heure",
		[WORD_GO_ON] = "Je connais ce site : continuer",
		[WORD_FILE] = "Fichier",
		[WORD_MISTAKE] = "C’est une erreur",
		[WORD_VARIANT] = "variante {k} sur {n}",
		[WORD_BYTES] = "{size} octets",
		[WORD_THOUSANDS] = "\u202f",
		[WORD_OF] = "de « {title} »",
		[WORD_PUBLISHED] = "publié le {date}",
		[WORD_HELPDESK] = "votre support informatique",
	} },
	{
		.tag = { "el", 2 }, .text = {
		[WORD_TITLE] = "Αποκλείστηκε για την ασφάλειά σας",
		[WORD_HEADING_SITE] = "Αυτός ο ιστότοπος είναι αποκλεισμένος",
		    "Αυτή η λήψη είναι αποκλεισμένη",
		    "Αυτή η αποστολή είναι αποκλεισμένη",
		    "Δεν ήταν δυνατός ο έλεγχος, γι’ αυτό αποκλείστηκε",
		    "Αυτός ο ιστότοπος ίσως δεν είναι αυτό που φαίνεται",
		[WORD_WHY] = "Γιατί",
		[WORD_SAYS_SITE] = "το {host} είναι καταχωρισμένο ως επιβλαβές: {what}",
		    "το {host} μοιάζει με {target}, αλλά ανήκει στο {owner}",
		    "το {host} μοιάζει με γνωστή διεύθυνση, αλλά ανήκει στο {owner}",
		    "αυτό το αρχείο είναι καταχωρισμένο ως επιβλαβές: {what}",
		    "αυτή η διεύθυνση έδωσε αρχείο που είναι καταχωρισμένο ως "
		    "επιβλαβές: {what}",
		    "ένα μέρος αρχείου δεν μπορεί να ελεγχθεί, και αυτό ίσως "
		    "ανήκει σε επιβλαβές αρχείο· μόνο ολόκληρο ελέγχεται",
		    "δεν ήταν δυνατό να εξεταστεί το περιεχόμενο του αρχείου "
		    "({what})", "δεν ήταν δυνατός ο έλεγχος ({what})",
		[WORD_ADVICE_SITE] =
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
		    "ιστότοπο, κλείστε τη σελίδα: μην πληκτρολογήσετε κωδικό.",
		[WORD_CALL] = "Απορίες, ή πρόκειται για λάθος; Καλέστε", [WORD_READ_OUT] = "και "
		    "διαβάστε αυτόν τον αριθμό:",
		[WORD_SITE] = "Ιστότοπος", [WORD_RULE] = "Κανόνας", [WORD_REVISION] = "αναθεώρηση",
		[WORD_ALERT] = "Προειδοποίηση", [WORD_TIME] = "Ώρα",
		[WORD_GO_ON] = "Γνωρίζω αυτόν τον ιστότοπο: συνέχεια",
		[WORD_FILE] = "Αρχείο",
		[WORD_MISTAKE] = "Πρόκειται για λάθος",
		[WORD_VARIANT] = "παραλλαγή {k} από {n}",
		[WORD_BYTES] = "{size} byte",
		[WORD_THOUSANDS] = ".",
		[WORD_OF] = "από «{title}»",
		[WORD_PUBLISHED] = "δημοσιεύτηκε {date}",
		[WORD_HELPDESK] = "την τεχνική υποστήριξη",
	} },
	{
		.tag = { "es", 2 }, .text = {
		[WORD_TITLE] = "Bloqueado por su seguridad",
		[WORD_HEADING_SITE] = "Este sitio está bloqueado", "Esta descarga está bloqueada", "Este envío está bloqueado",
		    "No se pudo comprobar y por eso está bloqueado", "Este sitio quizá no sea lo que parece",
		[WORD_WHY] = "Por qué",
		[WORD_SAYS_SITE] = "{host} figura como dañino: {what}", "{host} se parece a {target}, pero pertenece a {owner}",
		    "{host} se parece a una dirección conocida, pero pertenece a {owner}",
		    "este archivo figura como dañino: {what}",
		    "esta dirección dio un archivo que figura como dañino: {what}",
		    "una parte de un archivo no se puede comprobar, y esta puede ser de uno dañino; solo se puede comprobar "
		    "entero",
		    "no se pudo examinar el contenido de este archivo ({what})", "no se pudo comprobar ({what})",
		[WORD_ADVICE_SITE] =
		    "No escriba ninguna contraseña ni abra nada de lo que ofrezcan este sitio o el mensaje que le trajo aquí. Si "
		    "ya lo hizo, dígalo "
		    "al llamar.",
		    "No intente obtener el archivo de otra forma. Si ya lo abrió, desconecte el equipo de la red y llame de "
		    "inmediato.",
		    "Pídalo descomprimido o sin contraseña, y llame si lo necesita tal como está.",
		    "Envíelo descomprimido o sin contraseña, y llame si tiene que enviarse tal como está.",
		    "Empiece la descarga de nuevo en vez de reanudarla.", "Inténtelo de nuevo dentro de unos minutos.",
		    "Si un mensaje le trajo aquí o no conoce este sitio, cierre esta página: no escriba ninguna contraseña.",
		[WORD_CALL] = "¿Preguntas, o es un error? Llame a", [WORD_READ_OUT] = "y lea este número:",
		[WORD_SITE] = "Sitio", [WORD_RULE] = "Regla", [WORD_REVISION] = "revisión", [WORD_ALERT] = "Alerta", [WORD_TIME] = "Hora",
		[WORD_GO_ON] = "Conozco este sitio: continuar",
		[WORD_FILE] = "Archivo",
		[WORD_MISTAKE] = "Es un error",
		[WORD_VARIANT] = "variante {k} de {n}",
		[WORD_BYTES] = "{size} bytes",
		[WORD_THOUSANDS] = ".",
		[WORD_OF] = "de «{title}»",
		[WORD_PUBLISHED] = "publicado el {date}",
		[WORD_HELPDESK] = "su servicio de informática",
	} },
};

const char *const page_english_says[WORD_SAYS_UNCHECKED - WORD_SAYS_SITE + 1] = {
	"{host} is listed as harmful: {what}", "{host} looks like {target}, but belongs to {owner}",
	"{host} looks like a well-known address, but belongs to {owner}", "this file is listed as harmful: {what}",
	"this address gave a file that is listed as harmful: {what}",
	"a part of a file cannot be checked, and this one may be of a harmful file; only the whole can be",
	"this file could not be looked into ({what})", "it could not be checked ({what})",
};

const struct slice page_language_tags[PAGE_LANGUAGES] = { { "en", 2 }, { "de", 2 }, { "fr", 2 }, { "el", 2 }, { "es", 2 } };

int
page_word_find(struct slice name)
{
	for (int i = 0; i < PAGE_WORDS; i++)
		if (slice_eq(name, slice_str(page_word_kinds[i].name)))
			return i;
	return -1;
}

const struct page_words *
page_language(struct slice tag)
{
	for (size_t i = 0; i < PAGE_LANGUAGES; i++)
		if (slice_ieq(tag, page_languages[i].tag))
			return &page_languages[i];
	return NULL;
}
