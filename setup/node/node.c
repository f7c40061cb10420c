#include "setup/node/node.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "setup/rights/confine.h"
#include "setup/rights/rights.h"
#include "setup/systemd/others.h"
#include "units/audit_units.h"
#include "units/transient.h"

/* The drop-in's time tells whether the service has been started with it. */
static void find_in_effect(struct node *node, const struct wanted *wanted, const struct host *host)
{
	struct stat st;
	uint64_t written;

	node->runtime.in_effect = node->runtime.ahead = false;
	if (!node->files[FILE_RUNTIME].s || host_stat(host, wanted_path(wanted, FILE_RUNTIME), &st) < 0)
		return;
	written = (uint64_t)st.st_mtim.tv_sec * 1000000 + (uint64_t)st.st_mtim.tv_nsec / 1000;
	node->runtime.ahead = st.st_mtim.tv_sec > time(NULL);
	node->runtime.in_effect = !node->runtime.unit.active || node->runtime.started >= written;
}

int node_read_files(struct node *node, const struct wanted *wanted, const struct host *host,
		    struct log *log)
{
	for (size_t i = 0; i < N_FILES; i++) {
		const char *path = wanted_path(wanted, i);
		struct stat st = {0};
		int r;

		text_done(&node->files[i]);
		/* A foreign file of which nothing is wanted is none of our business, whatever it is. */
		if (!path || (wanted_files[i].foreign && !wanted->files[i].s))
			continue;
		r = host_read_stat(host, path, &node->files[i], &st);
		node->rights[i] = (struct file_rights){ st.st_uid, st.st_mode & 07777 };
		/* Nor is the mask of a unit that none of ours is to override; else see others_instead(). */
		if (r == -ELOOP && (!wanted->files[i].s || (wanted_files[i].unit && host_is_masked(host, path))))
			r = -ENOENT;
		if (r < 0 && r != -ENOENT) {
			log_say(log, LEVEL_ERROR, "%s cannot be read below %s: %s%s; nothing was changed",
				path, host->root, strerror(-r), rights_advice_write(host, r));
			return r;
		}
	}
	find_in_effect(node, wanted, host);
	return 0;
}

/* The unit that file i is, or is a drop-in of, NULL for none that matters; *store, the caller's, may hold it. */
static const char *unit_of(const struct wanted *wanted, const struct node *node, size_t i, char **store)
{
	const char *path = wanted_path(wanted, i);

	if (wanted_files[i].optional && !wanted->files[i].s && (wanted_files[i].drop_in || !node->files[i].s))
		return NULL;
	if (!wanted_files[i].drop_in)
		return wanted_files[i].unit;
	/* UNIT_DIRECTORY/UNIT.d/DROP_IN */
	*store = strndup(path + strlen(UNIT_DIRECTORY "/"), strlen(path) - strlen(UNIT_DIRECTORY "/.d/" DROP_IN));
	return *store;
}

int node_read_units(struct node *node, const struct wanted *wanted, const struct host *host, struct bus *bus,
		    struct log *log)
{
	char *store[N_FILES] = { NULL };
	const char *names[N_FILES];
	struct unit_state states[N_FILES];
	size_t of[N_FILES], n = 0;
	int r;

	for (size_t i = 0; i < N_FILES; i++) {
		unit_state_done(&node->units[i]);
		free(TAKE(node->instead[i]));
		names[n] = unit_of(wanted, node, i, &store[i]);
		if (names[n])
			of[n++] = i;
	}
	r = bus_unit_states(bus, names, n, states);
	for (size_t i = 0; r == 0 && i < n; i++)
		node->units[of[i]] = states[i];
	for (size_t i = 0; r == 0 && i < n; i++)
		if (wanted_files[of[i]].unit && wanted->files[of[i]].s &&
		    others_instead(host, &node->units[of[i]], names[i], wanted_path(wanted, of[i]), &node->instead[of[i]]) < 0)
			r = log_no_memory(log);
	for (size_t i = 0; i < N_FILES; i++)
		free(store[i]);
	return r;
}

static int say_kernel_error(struct log *log, const struct host *host, const char *what, int r,
			    bool at_socket)
{
	_cleanup_text_ struct text why = {0};

	rights_explain_audit(&why, host, r, at_socket);
	log_say(log, LEVEL_ERROR, "kernel audit: %s: %s", what, why.s ? why.s : strerror(-r));
	return r;
}

int node_open_kernel(struct kernel **ret, const struct host *host, struct log *log)
{
	int r = kernel_open(ret);

	if (r < 0)
		return say_kernel_error(log, host, "socket(AF_NETLINK, NETLINK_AUDIT)", r, true);
	r = confine_capabilities(CONFINE_SOCKET_OPEN);
	if (r < 0)
		log_say(log, LEVEL_WARNING, "capabilities cannot be dropped: %s; going on with them", strerror(-r));
	return 0;
}

int node_read_status(struct node *node, struct kernel *kernel, const struct host *host,
		     struct log *log)
{
	int r = kernel_get_status(kernel, &node->status);

	return r < 0 ? say_kernel_error(log, host, "AUDIT_GET", r, false) : 0;
}

int node_read_kernel(struct node *node, struct kernel *kernel, const struct host *host,
		     struct log *log)
{
	int r = node_read_status(node, kernel, host, log);

	if (r < 0)
		return r;
	r = kernel_get_loginuid_immutable(kernel, &node->loginuid_immutable);
	if (r < 0)
		return say_kernel_error(log, host, "AUDIT_GET_FEATURE", r, false);
	kernel_rules_done(&node->rules);
	r = kernel_list_rules(kernel, &node->rules);
	return r < 0 ? say_kernel_error(log, host, "AUDIT_LIST_RULES", r, false) : 0;
}

int node_read_transient(struct node *node, struct bus *bus)
{
	text_done(&node->transient);
	return bus_read_rules(bus, &node->transient, &node->transient_active);
}

int node_read_reader(struct node *node, struct bus *bus, const struct host *host)
{
	return reader_find(&node->reader, bus, host, node->status.pid);
}

int node_read_neighbours(struct node *node, const struct host *host, struct bus *bus, bool whole, struct log *log)
{
	int r = neighbours_read(node->neighbours, bus, node->status.pid);

	bus_version(bus, &node->systemd.major, &node->systemd.minor);
	if (r == 0 && journald_conf_read(&node->trail.journald, host, node->systemd.major) < 0)
		r = log_no_memory(log);
	text_done(&node->auditd_conf);
	/* A file that cannot be read is nothing to warn of: auditd would not run by it either. */
	if (r == 0 && node->neighbours[NEIGHBOUR_AUDITD])
		r = host_read(host, "/etc/audit/auditd.conf", &node->auditd_conf) == -ENOMEM ? log_no_memory(log) : 0;
	node->trail.auditd = (struct auditd_files){ .seen = false };
	if (r == 0 && node->auditd_conf.s)
		auditd_files_read(&node->trail.auditd, host, node->auditd_conf.s, whole ? AUDITD_ALWAYS : TRAIL_ENOUGH);
	return r < 0 ? r : others_lines(&node->silences, OWN_SILENCES, host, bus, log);
}

void node_read_trail(struct node *node, const struct host *host)
{
	/* Of which the present rate is that. */
	const uint64_t window = 10ull * 60 * 1000000;

	if (journal_audit_span(&node->trail.journal, host, window) < 0)
		node->trail.journal = (struct journal_span){ .oldest = 0 };
	shippers_read(node->trail.shippers, host);
}

const struct text *node_own_rules(const struct node *node)
{
	return node->files[FILE_RULES].s ? &node->files[FILE_RULES] : &node->transient;
}

bool node_rights_ok(const struct node *node, size_t i)
{
	return !node->files[i].s || wanted_files[i].foreign ||
		(node->rights[i].owner == 0 && node->rights[i].mode == wanted_files[i].mode);
}

bool node_locked(const struct node *node)
{
	return node->status.enabled == 2;
}

static int copy_text(struct text *ret, const struct text *from)
{
	/* An empty file is not an absent one. */
	if (from->s) {
		text_add_bytes(ret, from->s, from->len);
		text_add(ret, "");
	}
	return text_error(ret);
}

static int copy_rules(struct kernel_rules *ret, const struct kernel_rules *from)
{
	ret->rules = calloc(from->n + 1, sizeof(*ret->rules));
	if (!ret->rules)
		return -ENOMEM;
	for (; ret->n < from->n; ret->n++) {
		const struct kernel_rule *rule = &from->rules[ret->n];
		void *data = malloc(rule->size);

		if (!data)
			return -ENOMEM;
		memcpy(data, rule->data, rule->size);
		ret->rules[ret->n] = (struct kernel_rule){ .data = data, .size = rule->size };
	}
	return 0;
}

int node_copy(struct node *ret, const struct node *node)
{
	int r = copy_rules(&ret->rules, &node->rules);

	ret->status = node->status;
	ret->loginuid_immutable = node->loginuid_immutable;
	ret->transient_active = node->transient_active;
	if (r == 0)
		r = copy_text(&ret->transient, &node->transient);
	if (r == 0)
		r = copy_text(&ret->recording.ima_policy, &node->recording.ima_policy);
	for (size_t i = 0; r == 0 && i < N_FILES; i++) {
		ret->units[i] = node->units[i];
		ret->units[i].fragment = NULL;
		ret->units[i].drop_ins = NULL;
		ret->rights[i] = node->rights[i];
		r = copy_text(&ret->files[i], &node->files[i]);
	}
	return r;
}

void node_done(struct node *node)
{
	for (size_t i = 0; i < N_FILES; i++) {
		text_done(&node->files[i]);
		unit_state_done(&node->units[i]);
		free(node->instead[i]);
	}
	kernel_rules_done(&node->rules);
	text_done(&node->auditd_conf);
	own_lines_done(&node->silences);
	text_done(&node->transient);
	recording_done(&node->recording);
	runtime_done(&node->runtime);
}

int node_read_loaded(struct node *node, struct bus *bus)
{
	node->loaded = 0;
	if (node->transient_active)
		return bus_service_started(bus, TRANSIENT_UNIT, &node->loaded);
	return node->units[FILE_SETUP_UNIT].active ? bus_service_started(bus, SETUP_UNIT, &node->loaded) : 0;
}

/* A container has a name of its own. hostname(5): the first line that is no comment. */
void node_name(const struct host *host, struct text *ret)
{
	_cleanup_text_ struct text content = {0};
	struct utsname uts;
	const char *s;

	if ((!host->root || strcmp(host->root, "/") == 0) && uname(&uts) == 0) {
		text_add(ret, uts.nodename);
		return;
	}
	if (host_read(host, "/etc/hostname", &content) < 0)
		return;
	for (s = content.s ? content.s : ""; *s == '#'; s += *s == '\n')
		s += strcspn(s, "\n");
	text_add_bytes(ret, s, strcspn(s, "\r\n"));
}
