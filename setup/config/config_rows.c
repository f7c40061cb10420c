#include "setup/config/config_private.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "setup/config/config_keys.h"

static int parse_bool(const struct config_row *row, const char *value, void *target)
{
	bool yes = strcmp(value, "yes") == 0;

	if (!yes && strcmp(value, "no") != 0)
		return -EINVAL;
	*(bool *)target = yes;
	return 0;
}

static int parse_choice(const struct config_row *row, const char *value, void *target)
{
	for (int i = 0; row->choices[i]; i++) {
		if (strcmp(row->choices[i], value) == 0) {
			*(int *)target = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_event(const struct config_row *row, const char *value, void *target)
{
	int unused;

	return parse_choice(row, value, &unused);
}

/* Decimal digits only, then one of the suffixes of systemd.time(7) that make sense here. */
static int parse_digits(const char *value, int64_t *ret, const char **ret_end)
{
	int64_t n = 0;

	if (!isdigit((unsigned char)*value))
		return -EINVAL;
	for (; isdigit((unsigned char)*value); value++) {
		n = n * 10 + (*value - '0');
		if (n > UINT32_MAX)
			return -EINVAL;
	}
	*ret = n;
	*ret_end = value;
	return 0;
}

static int parse_number(const struct config_row *row, const char *value, void *target)
{
	const char *end;
	int64_t n;

	if (parse_digits(value, &n, &end) < 0 || *end || n < row->min || n > row->max)
		return -EINVAL;
	*(int64_t *)target = n;
	return 0;
}

static int parse_number_or_keep(const struct config_row *row, const char *value, void *target)
{
	if (strcmp(value, "keep") != 0)
		return parse_number(row, value, target);
	*(int64_t *)target = -1;
	return 0;
}

static int parse_number_or_empty(const struct config_row *row, const char *value, void *target)
{
	if (*value)
		return parse_number(row, value, target);
	*(int64_t *)target = -1;
	return 0;
}

static int parse_duration(const struct config_row *row, const char *value, void *target)
{
	static const struct {
		const char *suffix;
		int64_t usec;
	} units[] = {
		{ "", 1000000 }, { "s", 1000000 }, { "ms", 1000 }, { "min", 60000000 },
	};
	const char *end;
	int64_t n;

	if (parse_digits(value, &n, &end) < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].suffix) != 0)
			continue;
		n *= units[i].usec;
		if (n < row->min || n > row->max)
			return -EINVAL;
		*(int64_t *)target = n;
		return 0;
	}
	return -EINVAL;
}

static int set_string(const char *value, void *target)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*(char **)target);
	*(char **)target = copy;
	return 0;
}

static int parse_path(const struct config_row *row, const char *value, void *target)
{
	return *value == '/' ? set_string(value, target) : -EINVAL;
}

/* Empty, or a name as systemd.unit(5) has it; its drop-in's directory is made from it. */
static int parse_service(const struct config_row *row, const char *value, void *target)
{
	static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		":-_.\\@";
	size_t n = strlen(value);

	if (n > 0 && (n < 9 || n > 255 || value[0] == '.' || strcmp(value + n - 8, ".service") != 0 ||
		      strspn(value, characters) != n))
		return -EINVAL;
	return set_string(value, target);
}

/* "auto", "none", or what sd_bus_set_address() takes: transport:key=value[;...]. */
static int parse_address(const struct config_row *row, const char *value, void *target)
{
	if (strcmp(value, "auto") != 0 && strcmp(value, "none") != 0 && !(strchr(value, ':') && strchr(value, '=')))
		return -EINVAL;
	return set_string(value, target);
}

static int list_add(struct config_list *list, const char *value, size_t length)
{
	struct config_item *items = realloc(list->items, (list->n + 1) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	list->items = items;
	items[list->n] = (struct config_item){ .value = strndup(value, length) };
	if (!items[list->n].value)
		return -ENOMEM;
	list->n++;
	return 0;
}

void config_list_cut(struct config_list *list, size_t n)
{
	while (list->n > n)
		free(list->items[--list->n].value);
}

void config_list_clear(struct config_list *list)
{
	config_list_cut(list, 0);
	free(list->items);
	*list = (struct config_list){0};
}

static int parse_list(const struct config_row *row, const char *value, void *target)
{
	struct config_list *list = target;

	while (*value) {
		size_t length = strcspn(value, ","), used;

		while (isspace((unsigned char)*value))
			value++, length--;
		used = length;
		while (used > 0 && isspace((unsigned char)value[used - 1]))
			used--;
		if (used == 0 || (row->choices && *value != '/'))
			return -EINVAL;
		if (list_add(list, value, used) < 0)
			return -ENOMEM;
		value += length;
		if (*value == ',')
			value++;
	}
	return 0;
}

/* NAMESPACE or NAMESPACE/CONTAINER each, names as Kubernetes has them (RFC 1123). */
static int parse_pods(const struct config_row *row, const char *value, void *target)
{
	static const char characters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
	struct config_list *list = target;
	size_t from = list->n;
	int r = parse_list(row, value, target);

	for (size_t i = from; r == 0 && i < list->n; i++) {
		const char *name = list->items[i].value, *container = strchr(name, '/');
		size_t n = strspn(name, characters);

		if (n == 0 || (container ? name + n != container : name[n] != '\0'))
			r = -EINVAL;
		else if (container && (!container[1] || container[1 + strspn(container + 1, characters)]))
			r = -EINVAL;
	}
	return r;
}

#define CHOICES(...) (const char *const[]){ __VA_ARGS__, NULL }
#define IN(member) offsetof(struct config, member)
#define YES_NO .expected = "yes or no"
#define EVENT(name, def, exp, ...) \
	{ "events", name, parse_event, 0, def, .expected = exp, .choices = CHOICES(__VA_ARGS__) }
#define SWITCH(name) EVENT(name, "yes", "yes or no", "no", "yes")

const struct config_row config_rows[] = {
	{ "audit", "lock", parse_bool, IN(lock), "yes", YES_NO },
	{ "audit", "on_locked", parse_choice, IN(on_locked), "stage",
	  .expected = "stage or fail", .choices = CHOICES("stage", "fail") },
	{ "audit", "backlog_limit", parse_number, IN(backlog_limit), "8192",
	  .expected = "a number of records from 0 to 4294967295", .max = UINT32_MAX },
	/* kernel/audit.c: at most 10 * AUDIT_BACKLOG_WAIT_TIME = 600 s, in jiffies of up to 1000 Hz */
	{ "audit", "backlog_wait_time", parse_number_or_keep, IN(backlog_wait_time), "keep",
	  .expected = "keep, or a number from 0 to 600000", .max = 600000 },
	{ "audit", "rate_limit", parse_number, IN(rate_limit), "0",
	  .expected = "a number of records per second from 0 to 4294967295", .max = UINT32_MAX },
	{ "audit", "failure", parse_choice, IN(failure), "printk",
	  .expected = "silent, printk or panic", .choices = CHOICES("silent", "printk", "panic") },
	{ "audit", "loginuid_immutable", parse_choice, IN(loginuid_immutable), "auto",
	  .expected = "auto, no or yes", .choices = CHOICES("auto", "no", "yes") },

	SWITCH("audit-config"),
	SWITCH("apparmor"),
	SWITCH("exec"),
	EVENT("socket", "unusual", "no, unusual or all", "no", "unusual", "all"),
	EVENT("mmap", "anonymous", "no, anonymous, exec or all", "no", "anonymous", "exec", "all"),
	SWITCH("network"),
	SWITCH("logins"),
	SWITCH("tty"),

	{ "filter", "exclude_types", parse_list, IN(exclude_types), "",
	  .expected = "record types separated by commas" },
	{ "filter", "exclude_exe", parse_list, IN(exclude_exe), "",
	  .expected = "absolute paths separated by commas", .choices = CHOICES("/") },
	{ "filter", "exclude_uid", parse_list, IN(exclude_uid), "",
	  .expected = "user names or numbers separated by commas" },
	{ "filter", "min_auid", parse_number_or_empty, IN(min_auid), "",
	  .expected = "empty, or a user id from 0 to 4294967294", .max = UINT32_MAX - 1 },
	{ "filter", "workloads", parse_bool, IN(workloads), "yes", YES_NO },
	{ "filter", "sessions", parse_choice, IN(sessions), "all",
	  .expected = "all or terminal", .choices = CHOICES("all", "terminal") },

	{ "rules", "directory", parse_path, IN(rules_directory), "/etc/cloud-audit-setup/rules.d",
	  .expected = "an absolute path" },
	{ "rules", "absent", parse_choice, IN(absent), "warn",
	  .expected = "warn or fail", .choices = CHOICES("warn", "fail") },
	{ "rules", "order", parse_choice, IN(order), "shipped-first",
	  .expected = "shipped-first or user-first", .choices = CHOICES("shipped-first", "user-first") },
	{ "rules", "scanner_copy", parse_bool, IN(scanner_copy), "no", YES_NO },
	{ "rules", "existing", parse_choice, IN(existing), "replace",
	  .expected = "replace or keep", .choices = CHOICES("replace", "keep") },
	{ "rules", "optimise", parse_bool, IN(optimise), "yes", YES_NO },

	{ "unit", "mode", parse_choice, IN(unit_mode), "file", .expected = "file or transient",
	  .choices = CHOICES("file", "transient") },
	{ "unit", "enable", parse_bool, IN(unit_enable), "yes", YES_NO },
	{ "unit", "start_timeout", parse_duration, IN(start_timeout), "30s",
	  .expected = "a time from 1s to 60min, with ms, s or min", .min = 1000000,
	  .max = 3600000000 },

	{ "dbus", "address", parse_address, IN(dbus_address), "auto",
	  .expected = "auto, none, or a D-Bus address such as unix:path=/run/dbus/system_bus_socket" },

	{ "journal", "reader", parse_choice, IN(reader), "check",
	  .expected = "check, enable or ignore", .choices = CHOICES("check", "enable", "ignore") },

	{ "apparmor", "audit", parse_choice, IN(apparmor_audit), "keep",
	  .expected = "keep, normal, all, noquiet, quiet or quiet_denied",
	  .choices = CHOICES("keep", "normal", "all", "noquiet", "quiet", "quiet_denied") },

	{ "ima", "policy", parse_choice, IN(ima_policy), "no", .expected = "no, exec or exec,mmap",
	  .choices = CHOICES("no", "exec", "exec,mmap") },

	{ "tty", "sshd", parse_bool, IN(tty_sshd), "no", YES_NO },
	{ "tty", "runtime_unit", parse_service, IN(tty_runtime_unit), "",
	  .expected = "empty, or the name of a systemd service such as containerd.service" },
	{ "tty", "log_passwords", parse_bool, IN(log_passwords), "no", YES_NO },

	{ "container", "runtime_unit", parse_service, IN(runtime_unit), "",
	  .expected = "empty, or the name of a systemd service such as containerd.service" },
	{ "container", "restart", parse_bool, IN(runtime_restart), "no", YES_NO },
	{ "container", "keystrokes", parse_bool, IN(keystrokes), "no", YES_NO },
	{ "container", "identity", parse_bool, IN(identity), "no", YES_NO },
	{ "container", "identity_except", parse_pods, IN(identity_except), "",
	  .expected = "NAMESPACE or NAMESPACE/CONTAINER, separated by commas" },
};

const int config_n_rows = ARRAY_SIZE(config_rows);
_Static_assert(ARRAY_SIZE(config_rows) <= CONFIG_ROWS_MAX, "CONFIG_ROWS_MAX");

int config_row_find(const char *section, const char *key)
{
	for (int i = 0; i < config_n_rows; i++)
		if (strcmp(config_rows[i].section, section) == 0 && strcmp(config_rows[i].key, key) == 0)
			return i;
	return -1;
}

bool config_row_is_list(const struct config_row *row)
{
	return row->parse == parse_list || row->parse == parse_pods;
}

const char *const *config_row_words(const struct config_row *row)
{
	static const char *const no_yes[] = { "no", "yes", NULL };

	if (row->parse == parse_bool)
		return no_yes;
	return row->parse == parse_choice || row->parse == parse_event ? row->choices : NULL;
}
