#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>

#include "rules/judge/lint.h"
#include "rules/parse/parse.h"
#include "rules/parse/warnings.h"
#include "rules/rule/lex.h"
#include "rules/rules.h"
#include "setup/base/nearest.h"

/* The words of a line as they are written, with one space between; the caller's, NULL without memory. */
static char *join_words(const struct lexer *lexer)
{
	_cleanup_text_ struct text line = { 0 };

	for (size_t i = 0; i < lexer->n_tokens; i++) {
		text_add(&line, i ? " " : "");
		/* At once up to what is quoted: there are lines of thousands of bytes. */
		for (const char *s = lexer->tokens[i]; *s;) {
			size_t n = strcspn(s, " \\");

			if (n == 0)
				text_addf(&line, "\\%c", *s++);
			text_add_bytes(&line, s, n);
			s += n;
		}
	}
	return text_error(&line) < 0 ? NULL : text_take(&line);
}

/* Appends the rule, whose data becomes the set's in any case. */
static int append(struct rule_set *set, struct rule *rule, const struct lexer *lexer)
{
	struct rule *grown;

	/* The room doubles whenever the number of rules reaches a power of two. */
	if ((set->n_rules & (set->n_rules - 1)) == 0) {
		grown = reallocarray(set->rules, set->n_rules ? set->n_rules * 2 : 1, sizeof(*grown));
		if (!grown) {
			rule_done(rule);
			return -ENOMEM;
		}
		set->rules = grown;
	}
	rule->line = lexer->line;
	rule->file = strdup(lexer->file);
	rule->written = join_words(lexer);
	if (!rule->file || !rule->written) {
		rule_done(rule);
		return -ENOMEM;
	}
	set->rules[set->n_rules++] = *rule;
	return 0;
}

static int add_line(struct rule_set *set, const struct rules_env *env, struct lexer *lexer)
{
	struct rule rule = { 0 };
	int r = parse_line(env, lexer->file, lexer->line, lexer->tokens, lexer->n_tokens, &rule);

	if (r != PARSE_ADD && r != PARSE_DELETE)
		return r < 0 ? r : 0;
	rule.remove = r == PARSE_DELETE;
	rule.shipped = env->shipped;
	rule.guard = env->guard;
	rule.filter = env->filter;
	return append(set, &rule, lexer);
}

/* Warnings that depend on the host or the machine: that one does not occur here says nothing. */
static const char *const local_lints[] = { "absent", "left-out", "other-arch", "no-b32", "no-arch", "forgeable", "sees-containers" };

static void accept_name(const struct rules_env *env, const char *file, unsigned line, const char *name)
{
	const char *names[64];
	const struct lint *lint;
	size_t n = 0;
	bool local = false, known = false;

	for (size_t i = 0; i < ARRAY_SIZE(local_lints); i++)
		local = local || strcmp(local_lints[i], name) == 0;
	for (; n < ARRAY_SIZE(names) && (lint = lint_at(n)); n++) {
		names[n] = lint->name;
		known = known || strcmp(lint->name, name) == 0;
	}
	if (!known) {
		const char *near = nearest_name(name, names, n);

		warnings_add(env->warnings, env->log, "accepted", file, line, "there is no warning '%s'%s%s%s", name,
			     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
		return;
	}
	warnings_accept(env->warnings, name, file, line, !local);
}

/* Notes the comments "# lint: accept NAME", of one or more names. */
static int note_accepted(const struct rules_env *env, const char *file, const char *content, size_t size)
{
	static const char mark[] = "# lint: accept ";
	const char *end = content + size, *stop;
	unsigned line = 1;

	for (const char *s = content; s < end; s = stop + 1, line++) {
		_cleanup_free_ char *names = NULL;
		char *rest = NULL;

		stop = memchr(s, '\n', (size_t)(end - s));
		stop = stop ? stop : end;
		if ((size_t)(stop - s) < strlen(mark) || memcmp(s, mark, strlen(mark)) != 0)
			continue;
		names = strndup(s + strlen(mark), (size_t)(stop - s) - strlen(mark));
		if (!names)
			return -ENOMEM;
		for (char *name = strtok_r(names, ", \t\r", &rest); name; name = strtok_r(NULL, ", \t\r", &rest))
			accept_name(env, file, line, name);
	}
	return 0;
}

int rules_read(struct rule_set *set, const struct rules_env *env, const char *file,
	       const char *content, size_t size)
{
	struct lexer lexer;
	bool failed = false;
	size_t before = set->n_rules;
	int r = note_accepted(env, file, content, size);

	if (r < 0)
		return r;
	lex_init(&lexer, env->log, file, content, size);
	while (lex_next(&lexer)) {
		r = add_line(set, env, &lexer);
		if (r == 0 && set->n_rules > before && lexer.n_tokens == 1 && strcmp(lexer.tokens[0], "-D") == 0) {
			log_at(env->log, LEVEL_ERROR, file, lexer.line, "-D after rules: auditctl would delete those "
			       "before it; put it first, or leave them out");
			r = -EINVAL;
		}
		if (r == -ENOMEM)
			return r;
		failed = failed || r < 0;
	}
	return failed || lexer.errors ? -EINVAL : 0;
}

int rules_read_line(struct rule_set *set, const struct rules_env *env, const char *file,
		    unsigned line, const char *rule)
{
	struct lexer lexer;

	lex_init(&lexer, env->log, file, "", 0);
	lexer.line = line;
	if (!lex_line(&lexer, rule, strlen(rule)))
		return -EINVAL;
	return lexer.n_tokens ? add_line(set, env, &lexer) : 0;
}
