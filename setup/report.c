#include "setup/report.h"

#include <inttypes.h>
#include <stdarg.h>

#include "setup/tap.h"

static void print_text(const struct checks *checks)
{
	for (size_t i = 0; i < checks->n; i++) {
		const struct check *check = &checks->items[i];

		if (!check->ok && check->kind != CHECK_NOTICE)
			printf("differs: %s%s%s%s\n", check->name, *check->detail ? " (" : "", check->detail,
			       *check->detail ? ")" : "");
	}
	if (checks_failed(checks) == 0)
		printf("the node matches: %zu checks\n", checks_counted(checks));
	else
		printf("the node differs: %zu of %zu checks failed\n", checks_failed(checks),
		       checks_counted(checks));
}

static void print_json(const struct checks *checks, enum exit_status status)
{
	_cleanup_text_ struct text out = {0};

	text_addf(&out, "{\"command\":\"verify\",\"matches\":%s,\"status\":%d,\"checks\":[",
		  status == STATUS_DONE ? "true" : "false", (int)status);
	for (size_t i = 0; i < checks->n; i++) {
		const struct check *check = &checks->items[i];

		text_addf(&out, "%s{\"ok\":%s,\"name\":", i ? "," : "", check->ok ? "true" : "false");
		text_add_json(&out, check->name);
		if (!check->ok) {
			text_add(&out, ",\"found\":");
			text_add_json(&out, check->detail);
		}
		text_add(&out, "}");
	}
	text_add(&out, "]}\n");
	if (out.s)
		fputs(out.s, stdout);
}

void report_checks(const struct context *c, const struct checks *checks, enum exit_status status)
{
	switch (c->options->output) {
	case OUTPUT_TEXT:
		print_text(checks);
		break;
	case OUTPUT_TAP:
		tap_print(checks);
		break;
	case OUTPUT_JSON:
		print_json(checks, status);
		break;
	}
}

void report_done(const struct context *c, const char *command, const char *result,
		 const char *format, ...)
{
	_cleanup_free_ char *sentence = NULL;
	_cleanup_text_ struct text out = {0};
	va_list args;

	va_start(args, format);
	if (vasprintf(&sentence, format, args) < 0)
		sentence = NULL;
	va_end(args);
	if (!sentence)
		return;
	if (c->options->output == OUTPUT_JSON) {
		text_addf(&out, "{\"command\":\"%s\",\"result\":\"%s\",\"rules\":%zu,\"enabled\":%u,"
			  "\"message\":", command, result, c->node.rules.n, c->node.status.enabled);
		text_add_json(&out, sentence);
		text_add(&out, "}");
		puts(out.s ? out.s : "");
	} else if (c->options->level >= LEVEL_INFO) {
		puts(sentence);
	}
}

void report_reader(const struct context *c)
{
	if (c->config.reader == READER_CHECK)
		reader_warn(&c->node.reader, c->config.unit_mode == MODE_FILE, c->log);
}

void report_lost(const struct context *c)
{
	uint32_t lost = c->node.status.lost;

	if (lost > 0)
		log_say(c->log, LEVEL_WARNING, "the kernel has lost %" PRIu32 " audit records since boot, or since the "
			"last auditctl --reset-lost; a larger [audit] backlog_limit, or fewer events, keep it from "
			"losing more", lost);
}
