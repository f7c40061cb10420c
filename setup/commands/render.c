#include "setup/commands/commands.h"

#include "setup/commands/cloud_config.h"
#include "setup/node/settings.h"
#include "setup/node/wanted_node.h"
#include "units/transient.h"

static void print_control(void *context, const char *control, const char *source)
{
	struct text *out = context;

	text_add(out, "{\"source\":");
	text_add_json(out, source);
	text_add(out, ",\"control\":");
	text_add_json(out, control);
	text_add(out, "}\n");
}

static void print_rule_object(struct text *out, const struct rule *rule)
{
	_cleanup_text_ struct text source = {0}, line = {0};
	const struct rule_place place = rule_place(rule);

	rule_add_place(&source, &place);
	rule_print(&line, rule->data, rule->size);
	if (text_error(&source) < 0 || text_error(&line) < 0) {
		out->failed = true;
		return;
	}
	text_add(out, "{\"source\":");
	text_add_json(out, source.s);
	text_add(out, ",\"rule\":");
	text_add_json(out, line.s);
	text_add(out, ",\"data\":\"");
	text_add_base64(out, rule->data, rule->size);
	text_add(out, "\"}\n");
}

static void render_kernel(const struct context *c, struct text *out)
{
	settings_lines(&c->wanted.settings, &c->config, true, print_control, out);
	for (size_t i = 0; i < c->wanted.rules.n_rules; i++) {
		print_rule_object(out, &c->wanted.rules.rules[i]);
		/* one line at a time: the whole of a large set would be large in base64 */
		if (out->len > 65536) {
			fputs(out->s, stdout);
			text_done(out);
		}
	}
	settings_lines(&c->wanted.settings, &c->config, false, print_control, out);
}

static void render_units(const struct context *c, struct text *out)
{
	if (c->wanted.transient.s) {
		text_add(out, "# " TRANSIENT_UNIT "\n");
		if (print_transient_unit(c->wanted.auditctl, (uint64_t)c->config.start_timeout,
					 &c->wanted.transient, out) < 0)
			out->failed = true;
	}
	for (size_t i = 0; i < N_FILES; i++)
		if (wanted_files[i].unit && c->wanted.files[i].s)
			text_addf(out, "%s# %s\n%s", out->len ? "\n" : "", wanted_files[i].path,
				  c->wanted.files[i].s);
}

enum exit_status command_render(struct context *c)
{
	_cleanup_text_ struct text out = {0};

	/* What the host that is seen lacks: nothing is known of a kernel. */
	if (wanted_settle(&c->wanted, &c->config, &c->host, NULL, SETTLE_LOOK, c->log) < 0)
		return STATUS_NODE;
	if (c->options->output == OUTPUT_SARIF)
		return STATUS_DONE;
	switch (c->options->render) {
	case RENDER_RULES:
		text_add(&out, wanted_rules_text(&c->wanted)->s);
		break;
	case RENDER_UNIT:
		render_units(c, &out);
		break;
	case RENDER_KERNEL:
		render_kernel(c, &out);
		break;
	case RENDER_HASH:
		text_addf(&out, "%s\n", c->wanted.source_sha256);
		break;
	case RENDER_CLOUD_CONFIG:
		if (!cloud_config_print(c, &out))
			return STATUS_CONFIG;
		break;
	}
	if (text_error(&out) < 0) {
		log_no_memory(c->log);
		return STATUS_NODE;
	}
	if (out.s)
		fputs(out.s, stdout);
	return STATUS_DONE;
}
