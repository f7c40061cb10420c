#include "setup/output/sarif.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "rules/judge/lint.h"
#include "setup/base/text.h"

struct sarif {
	struct log *log;
	struct text results;
};

/* A path as a URI reference (RFC 3986): what a name may have besides is encoded. */
static void add_uri(struct text *out, const char *file)
{
	_cleanup_text_ struct text uri = {0};

	text_add(&uri, *file == '/' ? "file://" : "");
	for (const unsigned char *s = (const unsigned char *)file; *s; s++)
		text_addf(&uri, isalnum(*s) || strchr("/-._~", *s) ? "%c" : "%%%02X", *s);
	out->failed = out->failed || text_error(&uri) < 0;
	text_add_json(out, uri.s ? uri.s : "");
}

/* The name in "... [lint: NAME]", which is cut off; NULL: there is none. Words of the rule may look like it. */
static const char *cut_lint(char *message)
{
	const struct lint *lint;
	size_t n = strlen(message);

	for (size_t i = 0; (lint = lint_at(i)); i++) {
		char mark[64];
		size_t length = (size_t)snprintf(mark, sizeof(mark), " [lint: %s]", lint->name);

		if (n < length || strcmp(message + n - length, mark) != 0)
			continue;
		message[n - length] = '\0';
		return lint->name;
	}
	return NULL;
}

static void listen(void *context, enum log_level level, const char *file, unsigned line, const char *message)
{
	struct sarif *sarif = context;
	struct text *out = &sarif->results;
	_cleanup_free_ char *text = strdup(message);
	const char *kind = level == LEVEL_ERROR ? "error" : "warning", *lint = text && level == LEVEL_WARNING ? cut_lint(text) : NULL;

	text_add(out, out->len ? ",{\"ruleId\":" : "{\"ruleId\":");
	text_add_json(out, lint ? lint : kind);
	text_addf(out, ",\"level\":\"%s\",\"message\":{\"text\":", kind);
	text_add_json(out, text ? text : message);
	text_add(out, "}");
	/* A setting of the command line is in no file. */
	if (file && *file != '-') {
		text_add(out, ",\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":");
		add_uri(out, file);
		text_add(out, "}");
		if (line)
			text_addf(out, ",\"region\":{\"startLine\":%u}", line);
		text_add(out, "}}]");
	} else if (file) {
		text_add(out, ",\"locations\":[{\"message\":{\"text\":");
		text_add_json(out, file);
		text_add(out, "}}]");
	}
	text_add(out, "}");
}

struct sarif *sarif_new(struct log *log)
{
	struct sarif *sarif = calloc(1, sizeof(*sarif));

	if (!sarif)
		return NULL;
	sarif->log = log;
	log_set_listener(log, listen, sarif);
	return sarif;
}

void sarif_freep(struct sarif **sarif)
{
	if (!*sarif)
		return;
	log_set_listener((*sarif)->log, NULL, NULL);
	text_done(&(*sarif)->results);
	free(*sarif);
}

static void add_rule(struct text *out, const char *id, const char *what)
{
	text_add(out, "{\"id\":");
	text_add_json(out, id);
	text_add(out, ",\"shortDescription\":{\"text\":");
	text_add_json(out, what);
	text_add(out, "}}");
}

void sarif_print(const struct sarif *sarif, bool ran, int status)
{
	_cleanup_text_ struct text out = {0};
	const struct lint *lint;

	text_add(&out, "{\"$schema\":\"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
		 "sarif-schema-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"cloud-audit-setup\","
		 "\"version\":\"" VERSION "\",\"rules\":[");
	add_rule(&out, "error", "a mistake: nothing is loaded");
	text_add(&out, ",");
	add_rule(&out, "warning", "a warning of no kind of its own");
	for (size_t i = 0; (lint = lint_at(i)); i++) {
		text_add(&out, ",");
		add_rule(&out, lint->name, lint->what);
	}
	text_addf(&out, "]}},\"invocations\":[{\"executionSuccessful\":%s,\"exitCode\":%d}],\"results\":[%s]}]}\n",
		  text_truth(ran), status, sarif->results.s ? sarif->results.s : "");
	if (text_error(&out) < 0 || text_error(&sarif->results) < 0)
		log_say(sarif->log, LEVEL_ERROR, "out of memory; the result is not printed");
	else
		fputs(out.s, stdout);
}
