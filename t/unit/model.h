/* A node that works, in memory that processes share: its kernel's audit part, and a systemd that does what it is told
 * (peer.h), with units and rules files below a root. A job or a call can be made to fail. */
#ifndef T_UNIT_MODEL_H
#define T_UNIT_MODEL_H

#include <linux/audit.h>
#include <linux/netlink.h>
#include <sys/mman.h>

#include "rules/rules.h"
#include "setup/host/host.h"
#include "setup/kernel/kernel.h"
#include "setup/kernel/rulesdiff.h"
#include "t/unit/peer.h"
#include "t/unit/test.h"
#include "units/audit_units.h"
#include "units/host_units.h"
#include "units/transient.h"

enum { MODEL_RULES = 160, MODEL_RULE_MAX = 2048, MODEL_UNITS = 16, MODEL_DATA = 65536 };

struct model_unit {
	char name[80];
	bool active, enabled, failed, changing;
};

/* What the tests compare before and after. */
struct model_state {
	struct audit_status status;
	bool loginuid_immutable;
	size_t n_rules;
	struct { size_t size; char data[MODEL_RULE_MAX]; } rules[MODEL_RULES];	/* in the kernel's order, of all lists */
	struct model_unit units[MODEL_UNITS];
	size_t n_units;
	char transient[MODEL_DATA];	/* the rules of the transient unit, which is there while it is active */
	size_t transient_size;
};

struct model {
	char root[256];
	struct model_state is;
	/* Counted from 1; 0: none. */
	unsigned calls, fail_call;	/* of D-Bus: answered with an error */
	unsigned drop_call;		/* the connection ends there */
	unsigned jobs, fail_job;	/* ends as failed, having done nothing */
	unsigned cancel_job;		/* ends as canceled, by another one */
	unsigned half_job;		/* loads half of its rules, and fails */
	unsigned asked, fail_ask;	/* of the kernel: refused */
	const char *meanwhile;		/* rules that somebody else loads after the first job that loads some */
	const char *on_start;		/* the same before any */
	const char *act;		/* what a shell does below the root meanwhile, when that job begins */
	unsigned act_job;
	const char *hang;		/* a unit whose job has no end */
	unsigned hung;			/* how many there were */
	const char *refuse;		/* a transient unit with this word in its command fails; *seen: begin of the runtime's */
	char seen[8];			/* wrapper as it is then */
	char out[256];			/* a file; how much was in it when the last job began */
	off_t printed;
};

static inline struct model *model_new(const char *root)
{
	struct model *m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(m != MAP_FAILED);
	snprintf(m->root, sizeof(m->root), "%s", root);
	m->is.status = (struct audit_status){
		.failure = 1, .backlog_limit = 64, .backlog_wait_time = 15000, .feature_bitmap = 0x7f, .enabled = 1,
	};
	return m;
}

/* --- the kernel --- */

static inline int model_path_type(void *context, const char *path, bool *ret_directory)
{
	const struct model *m = context;
	char full[600];
	struct stat st;

	snprintf(full, sizeof(full), "%s%s", m->root, path);
	if (stat(full, &st) < 0)
		return 0;
	*ret_directory = S_ISDIR(st.st_mode);
	return 1;
}

static inline int model_id(void *context, const char *name, uint32_t *ret_id)
{
	return 0;
}

/* One line that auditctl would compile; false when it would not. */
static inline bool model_compile(struct model *m, struct rule_set *set, const char *line)
{
	const struct rules_host host = { .path_type = model_path_type, .user_id = model_id, .group_id = model_id, .context = m };
	_cleanup_fclose_ FILE *null = fopen("/dev/null", "we");
	struct log *log = log_new(null);
	const struct rules_env env = { .log = log, .host = &host, .machine = "x86_64" };
	bool r = rules_read_line(set, &env, "F", 1, line) == 0 && set->n_rules == 1;

	log_free(log);
	return r;
}

static inline uint32_t model_list_of(const struct model *m, size_t i)
{
	uint32_t flags;

	memcpy(&flags, m->is.rules[i].data, sizeof(flags));
	return flags;
}

/* The index of an equal rule, or n_rules. */
static inline size_t model_find(const struct model *m, const struct rule *rule)
{
	size_t i = 0;

	while (i < m->is.n_rules && !(m->is.rules[i].size == rule->size &&
				      memcmp(m->is.rules[i].data, rule->data, rule->size) == 0))
		i++;
	return i;
}

static inline bool model_rule(struct model *m, const char *line)
{
	_cleanup_(rule_set_done) struct rule_set set = {0};
	bool remove = line[1] == 'd' || line[1] == 'W', first;
	_cleanup_free_ char *add = strdup(line);
	struct rule *rule;
	size_t at;

	if (remove)
		add[1] = line[1] == 'd' ? 'a' : 'w';
	if (!model_compile(m, &set, add) || set.rules[0].size > MODEL_RULE_MAX)
		return false;
	rule = &set.rules[0];
	first = rule->data->flags & AUDIT_FILTER_PREPEND;
	rulesdiff_as_listed(rule->data);
	at = model_find(m, rule);
	if (remove && at == m->is.n_rules)
		return false;
	if (remove) {
		memmove(&m->is.rules[at], &m->is.rules[at + 1], (m->is.n_rules - at - 1) * sizeof(m->is.rules[0]));
		memset(&m->is.rules[--m->is.n_rules], 0, sizeof(m->is.rules[0]));
		return true;
	}
	if (at < m->is.n_rules || m->is.n_rules == MODEL_RULES)
		return false;
	/* Each list has its own order, and a listing has one after the other. */
	for (at = 0; at < m->is.n_rules && (model_list_of(m, at) < rule->data->flags ||
					    (!first && model_list_of(m, at) == rule->data->flags)); at++) { }
	memmove(&m->is.rules[at + 1], &m->is.rules[at], (m->is.n_rules - at) * sizeof(m->is.rules[0]));
	m->is.n_rules++;
	memset(&m->is.rules[at], 0, sizeof(m->is.rules[0]));
	m->is.rules[at].size = rule->size;
	memcpy(m->is.rules[at].data, rule->data, rule->size);
	return true;
}

/* One line of a rules file, as auditctl carries it out; false: it fails. */
static inline bool model_line(struct model *m, const char *line)
{
	const struct { const char *option; uint32_t *value; } settings[] = {
		{ "-b ", &m->is.status.backlog_limit }, { "-f ", &m->is.status.failure },
		{ "-r ", &m->is.status.rate_limit }, { "--backlog_wait_time ", &m->is.status.backlog_wait_time },
		{ "-e ", &m->is.status.enabled },
	};

	if (!*line || *line == '#' || strcmp(line, "-c") == 0 || strcmp(line, "-i") == 0)
		return true;
	if (m->is.status.enabled == 2)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (strncmp(line, settings[i].option, strlen(settings[i].option)) == 0)
			return *settings[i].value = (uint32_t)atoi(strchr(line, ' ')), true;
	if (strcmp(line, "--loginuid-immutable") == 0)
		return m->is.loginuid_immutable = true;
	if (strcmp(line, "-D") == 0) {
		memset(m->is.rules, 0, sizeof(m->is.rules));
		m->is.n_rules = 0;
		return true;
	}
	return model_rule(m, line);
}

/* auditctl -R; it stops at what fails. half: it fails in the middle. */
static inline bool model_load(struct model *m, const char *rules, bool half)
{
	_cleanup_free_ char *copy = strdup(rules);
	size_t n = 0, done = 0;
	char *rest = NULL;

	for (const char *s = rules; *s; s++)
		n += *s == '\n';
	for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if ((half && done++ > n / 2) || !model_line(m, line))
			return false;
	return true;
}

struct model_reply {
	size_t size;
	char bytes[MODEL_RULE_MAX + 64];
};

struct model_io {
	struct model *model;
	size_t n, next;
	struct model_reply replies[MODEL_RULES + 8];
};

static inline void model_reply(struct model_io *io, uint16_t type, uint32_t sequence, const void *payload, size_t size)
{
	struct model_reply *reply = &io->replies[io->n++];
	const struct nlmsghdr header = {
		.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + size), .nlmsg_type = type, .nlmsg_seq = sequence,
	};

	memcpy(reply->bytes, &header, sizeof(header));
	memcpy(reply->bytes + NLMSG_HDRLEN, payload, size);
	reply->size = NLMSG_HDRLEN + size;
}

static inline void model_list(struct model_io *io, uint32_t sequence)
{
	const struct model_state *is = &io->model->is;

	for (size_t i = 0; i < is->n_rules; i++)
		model_reply(io, AUDIT_LIST_RULES, sequence, is->rules[i].data, is->rules[i].size);
	model_reply(io, NLMSG_DONE, sequence, "", 0);
}

static inline ssize_t model_send(void *context, const void *message, size_t size)
{
	struct model_io *io = context;
	struct model *m = io->model;
	struct nlmsgerr ack = { .error = ++m->asked == m->fail_ask ? -EPERM : 0 };
	struct audit_features features = { .features = m->is.loginuid_immutable ?
		AUDIT_FEATURE_TO_MASK(AUDIT_FEATURE_LOGINUID_IMMUTABLE) : 0 };
	struct nlmsghdr request;

	memcpy(&request, message, sizeof(request));
	io->n = io->next = 0;
	model_reply(io, NLMSG_ERROR, request.nlmsg_seq, &ack, sizeof(ack));
	if (request.nlmsg_type == AUDIT_GET)
		model_reply(io, AUDIT_GET, request.nlmsg_seq, &m->is.status, sizeof(m->is.status));
	if (request.nlmsg_type == AUDIT_GET_FEATURE)
		model_reply(io, AUDIT_GET_FEATURE, request.nlmsg_seq, &features, sizeof(features));
	if (request.nlmsg_type == AUDIT_LIST_RULES)
		model_list(io, request.nlmsg_seq);
	return (ssize_t)size;
}

static inline ssize_t model_receive(void *context, void *buffer, size_t size, uint32_t *ret_sender, int timeout)
{
	struct model_io *io = context;
	const struct model_reply *reply = &io->replies[io->next];

	if (io->next == io->n)
		return -ETIMEDOUT;
	io->next++;
	*ret_sender = 0;
	memcpy(buffer, reply->bytes, reply->size);
	return (ssize_t)reply->size;
}

static inline void model_close(void *context) { }

/* --- systemd --- */

static inline struct model_unit *model_unit(struct model *m, const char *name)
{
	for (size_t i = 0; i < m->is.n_units; i++)
		if (strcmp(m->is.units[i].name, name) == 0)
			return &m->is.units[i];
	assert_true(m->is.n_units < MODEL_UNITS);
	snprintf(m->is.units[m->is.n_units].name, sizeof(m->is.units[0].name), "%.79s", name);
	return &m->is.units[m->is.n_units++];
}

/* A string at an offset of the body. */
static inline const char *model_string(const struct peer *peer, size_t at)
{
	return at + 4 < peer->body.len ? peer->body.s + at + 4 : "";
}

/* /org/freedesktop/systemd1/unit/a_2eb -> a.b */
static inline void model_unescape(const char *object, char *out, size_t room)
{
	const char *s = strrchr(object, '/') + 1;
	unsigned value;
	size_t n = 0;

	while (*s && n < room - 1)
		if (*s == '_' && sscanf(s + 1, "%2x", &value) == 1) {
			out[n++] = (char)value;
			s += 3;
		} else {
			out[n++] = *s++;
		}
	out[n] = '\0';
}

static inline bool model_file(const struct model *m, const char *path, char *out, size_t room)
{
	char full[600];
	_cleanup_fclose_ FILE *f = NULL;
	size_t n;

	snprintf(full, sizeof(full), "%s%s", m->root, path);
	f = fopen(full, "re");
	if (!f)
		return false;
	n = fread(out, 1, room - 1, f);
	out[n] = '\0';
	return true;
}

static inline bool model_has_file(const struct model *m, const char *path)
{
	char some[2];

	return model_file(m, path, some, sizeof(some));
}

static inline void model_write(const struct model *m, const char *path, const char *content)
{
	char full[600];
	_cleanup_fclose_ FILE *f = NULL;

	snprintf(full, sizeof(full), "%s%s", m->root, path);
	f = fopen(full, "we");
	if (f)
		fputs(content, f);
}

/* AppArmor's parameter, as the host's unit sets it. */
static inline void model_set_host(const struct model *m, const char *unit, bool stop)
{
	model_write(m, "/sys/module/apparmor/parameters/audit", stop ? "normal\n" : "all\n");
}

/* augenrules writes that anew, whatever there was. */
static inline bool model_merge(const struct model *m)
{
	model_write(m, "/etc/audit/audit.rules", "## This file is automatically generated from /etc/audit/rules.d\n");
	return true;
}

/* augenrules --load: without its directory it loads the file that is there, and fails all the same. */
static inline bool model_augenrules(struct model *m, const char *merged)
{
	static char rules[MODEL_DATA];
	char directory[600];
	struct stat st;

	snprintf(directory, sizeof(directory), "%s/etc/audit/rules.d", m->root);
	if (stat(directory, &st) == 0)
		return model_merge(m) && model_load(m, merged, false);
	return model_file(m, "/etc/audit/audit.rules", rules, sizeof(rules)) && model_load(m, rules, false) && false;
}

/* What a unit does when it is started. */
static inline bool model_run(struct model *m, const char *unit, bool half)
{
	static char rules[MODEL_DATA];

	if (strcmp(unit, SETUP_UNIT) == 0) {
		if (m->on_start)
			model_load(m, m->on_start, false);
		if (!model_file(m, "/etc/audit/cloud-audit-setup.rules", rules, sizeof(rules)) ||
		    !model_load(m, rules, half))
			return false;
		return !m->meanwhile || model_load(m, m->meanwhile, false);
	}
	if (strcmp(unit, LOCK_UNIT) == 0)
		return model_line(m, "-e 2") || m->is.status.enabled == 2;
	if (strcmp(unit, HOST_UNIT) == 0)
		model_set_host(m, unit, false);
	if (strcmp(unit, JOURNALD_UNIT) == 0)
		model_unit(m, JOURNALD_SOCKET)->active =
			model_file(m, "/etc/systemd/system/systemd-journald.service.d/cloud-audit-setup.conf", rules, sizeof(rules)) &&
			strstr(rules, "Sockets=");
	if (strcmp(unit, "augenrules.service") == 0)
		return model_load(m, "-D\n-w /etc/shadow -p wa -k host\n", false);
	if (strcmp(unit, "audit-rules.service") == 0 && m->refuse && strcmp(m->refuse, "--load") == 0)
		return false;
	if (strcmp(unit, "audit-rules.service") == 0)
		return model_augenrules(m, "-D\n-w /etc/passwd -p wa -k host\n");
	return true;
}

/* StartTransientUnit: what it is to run is in the body. */
static inline bool model_run_transient(struct model *m, const struct peer *peer, bool half)
{
	const char *body = peer->body.s, *end = body + peer->body.len;
	const char *data = memmem(body, peer->body.len, "StandardInputData", 18);
	const char *option = memmem(body, peer->body.len, "\0-e", 4);
	static char rules[MODEL_DATA];
	uint32_t n;

	if (option) {
		/* After the word's NUL, aligned: a length, and the value. */
		char line[] = "-e 0";

		for (option += 4; *option < '0' || *option > '2'; option++) { }
		line[3] = *option;
		return model_line(m, line);
	}
	if (m->refuse && memmem(body, peer->body.len, m->refuse, strlen(m->refuse) + 1)) {
		if (!model_file(m, "/opt/" RUNTIME_RUNC, m->seen, sizeof(m->seen)))
			snprintf(m->seen, sizeof(m->seen), "absent");
		return false;
	}
	if (!data && memmem(body, peer->body.len, "--load", 6))
		return model_augenrules(m, "-D\n-w /etc/group -p wa -k host\n");
	if (!data && memmem(body, peer->body.len, "audit.rules", 11))	/* auditctl -R of it */
		return model_file(m, "/etc/audit/audit.rules", rules, sizeof(rules)) && model_load(m, rules, half);
	if (!data)	/* augenrules, or the terminal program's --check */
		return !memmem(body, peer->body.len, "/augenrules", 11) || model_merge(m);
	/* The name's NUL, the signature "ay", and the length at the next four bytes. */
	for (data += 18 + 4; (data - body) % 4; data++) { }
	memcpy(&n, data, sizeof(n));
	if (n >= MODEL_DATA || data + 4 + n > end)
		return false;
	memcpy(rules, data + 4, n);
	rules[n] = '\0';
	if (!model_load(m, rules, half))
		return false;
	if (strcmp(model_string(peer, 0), TRANSIENT_UNIT) != 0)
		return true;
	memcpy(m->is.transient, rules, n + 1);
	m->is.transient_size = n;
	model_unit(m, model_string(peer, 0))->active = true;
	return !m->meanwhile || model_load(m, m->meanwhile, false);
}

static inline void model_act(const struct model *m)
{
	_cleanup_text_ struct text command = {0};

	text_addf(&command, "cd '%s' && { %s; }", m->root, m->act);
	assert_int_equal(system(command.s), 0);
}

static inline bool model_job(struct model *m, struct peer *peer, const struct peer_call *call)
{
	const char *name = model_string(peer, 0);
	struct model_unit *unit = strstr(name, "helper") ? NULL : model_unit(m, name);
	bool transient = strcmp(call->name, "StartTransientUnit") == 0, stop = strcmp(call->name, "StopUnit") == 0;
	bool fail = ++m->jobs == m->fail_job || m->jobs == m->cancel_job, half = m->jobs == m->half_job, done = !fail;

	struct stat out;

	if (m->act && m->jobs == m->act_job)
		model_act(m);
	m->printed = m->out[0] && stat(m->out, &out) == 0 ? out.st_size : 0;
	if (!peer_reply_path(peer, call, PEER_JOB))
		return false;
	if (m->hang && strcmp(name, m->hang) == 0) {
		unit->active = false;
		unit->changing = true;
		m->hung++;
		return true;
	}
	if (done && transient)
		done = model_run_transient(m, peer, half);
	else if (done && !stop)
		done = model_run(m, name, half);
	else if (done && strcmp(name, HOST_UNIT) == 0 && unit->active)
		model_set_host(m, name, true);
	if (unit && (!stop || done)) {
		unit->active = done && !stop;
		unit->failed = !done && !transient;
		if (strcmp(name, TRANSIENT_UNIT) == 0 && !unit->active)
			m->is.transient_size = 0;
	}
	return peer_job_removed(peer, PEER_JOB, done ? "done" : m->jobs == m->cancel_job ? "canceled" : "failed");
}

static inline bool model_reply_rules(const struct model *m, struct peer *peer, const struct peer_call *call)
{
	_cleanup_text_ struct text body = {0};

	peer_signature(&body, "ay");
	peer_u32(&body, (uint32_t)m->is.transient_size);
	text_add_bytes(&body, m->is.transient, m->is.transient_size);
	return peer_reply(peer, call, "v", &body);
}

/* Of those asked for, what systemd has in memory: what is active. */
static inline bool model_list_units(const struct model *m, struct peer *peer, const struct peer_call *call)
{
	_cleanup_text_ struct text body = {0};
	uint32_t n;

	peer_u32(&body, 0);
	peer_align(&body, 8);
	for (size_t i = 0; i < m->is.n_units; i++) {
		const struct model_unit *unit = &m->is.units[i];

		if (!unit->active || !memmem(peer->body.s, peer->body.len, unit->name, strlen(unit->name) + 1))
			continue;
		peer_align(&body, 8);
		for (const char *const *word = (const char *const []){ unit->name, "", "loaded", "active", "running", "", NULL }; *word;
		     word++)
			peer_string(&body, *word);
		peer_string(&body, "/o");
		peer_u32(&body, 0);
		peer_string(&body, "");
		peer_string(&body, "/");
	}
	n = (uint32_t)(body.len - 8);
	memcpy(body.s, &n, sizeof(n));
	return peer_reply(peer, call, "a(ssssssouso)", &body);
}

/* Environment= of a unit, as our drop-in sets it. */
static inline bool model_environment(const struct model *m, struct peer *peer, const struct peer_call *call, const char *drop_in)
{
	char content[4096], *path = model_file(m, drop_in, content, sizeof(content)) ? strstr(content, "\nEnvironment=\"") : NULL;

	if (!path)
		return peer_reply_words(peer, call, "");
	path += strlen("\nEnvironment=\"");
	path[strcspn(path, "\"")] = '\0';
	return peer_reply_words(peer, call, path);
}

static inline bool model_property(struct model *m, struct peer *peer, const struct peer_call *call)
{
	char name[128], path[220], fragment[220] = "";
	const struct model_unit *unit;
	bool ours, exists;

	model_unescape(call->path, name, sizeof(name));
	unit = model_unit(m, name);
	ours = strncmp(name, "cloud-audit-", 12) == 0;
	snprintf(path, sizeof(path), "/etc/systemd/system/%s", name);
	exists = ours ? model_has_file(m, path) : strstr(name, "absent") == NULL;
	if (exists)
		snprintf(fragment, sizeof(fragment), "%s", ours ? path : strcmp(name, "containerd.service") == 0 ?
			 "/lib/systemd/system/containerd.service" : strcmp(name, "auditd.service") == 0 ?
			 "/lib/systemd/system/auditd.service" : "/lib/systemd/system/x.service");
	if (strcmp(call->name, "LoadState") == 0)
		return peer_reply_variant(peer, call, "s", exists ? "loaded" : "not-found", 0);
	if (strcmp(call->name, "ActiveState") == 0)
		return peer_reply_variant(peer, call, "s", unit->active ? "active" : unit->failed ? "failed" :
					  unit->changing ? "activating" : "inactive", 0);
	if (strcmp(call->name, "FragmentPath") == 0)
		return peer_reply_variant(peer, call, "s", fragment, 0);
	if (strcmp(call->name, "NeedDaemonReload") == 0)
		return peer_reply_variant(peer, call, "b", NULL, 0);
	if (strcmp(call->name, "StandardInputData") == 0)
		return model_reply_rules(m, peer, call);
	snprintf(path, sizeof(path), "/etc/systemd/system/%s.d/cloud-audit-setup.conf", name);
	if (strcmp(call->name, "DropInPaths") == 0)
		return peer_reply_words(peer, call, model_has_file(m, path) ? path : "");
	if (strcmp(call->name, "Environment") == 0)
		return model_environment(m, peer, call, path);
	return peer_answer_well(peer, call);
}

static inline bool model_answer(struct peer *peer, const struct peer_call *call)
{
	union { const void *plan; struct model *model; } it = { .plan = peer->plan };
	struct model *m = it.model;

	if (++m->calls == m->drop_call)
		return false;
	if (m->calls == m->fail_call)
		return peer_error(peer, call, "org.freedesktop.DBus.Error.AccessDenied", "made up");
	if (strncmp(call->path, "/org/freedesktop/systemd1/unit/", 31) == 0)
		return model_property(m, peer, call);
	if (strcmp(call->name, "Environment") == 0)
		return peer_reply_words(peer, call, "LANG=C PATH=/usr/local/sbin:/usr/bin");
	if (strcmp(call->name, "ListUnitsByNames") == 0)
		return model_list_units(m, peer, call);
	if (strcmp(call->name, "GetUnitFileState") == 0)
		return peer_reply_plain_string(peer, call, model_unit(m, model_string(peer, 0))->enabled ?
					       "enabled" : "disabled");
	if (strcmp(call->name, "GetUnit") == 0 && m->hang && strcmp(model_string(peer, 0), m->hang) == 0)
		return peer_reply_path(peer, call, "/org/freedesktop/systemd1/unit/containerd_2eservice");
	if (strcmp(call->name, "GetUnit") == 0 && !model_unit(m, model_string(peer, 0))->active)
		return peer_error(peer, call, "org.freedesktop.systemd1.NoSuchUnit", "not loaded");
	if (strcmp(call->name, "GetUnit") == 0)
		return peer_reply_path(peer, call, "/org/freedesktop/systemd1/unit/cloud_2daudit_2drules_2eservice");
	if (strcmp(call->name, "EnableUnitFiles") == 0 || strcmp(call->name, "DisableUnitFiles") == 0)
		model_unit(m, model_string(peer, 4))->enabled = *call->name == 'E';
	if (strcmp(call->name, "ResetFailedUnit") == 0)
		model_unit(m, model_string(peer, 0))->failed = false;
	if (strcmp(call->name, "StartUnit") == 0 || strcmp(call->name, "StopUnit") == 0 ||
	    strcmp(call->name, "RestartUnit") == 0 || strcmp(call->name, "StartTransientUnit") == 0)
		return model_job(m, peer, call);
	return strcmp(call->name, "Hello") == 0 ? peer_reply_plain_string(peer, call, ":1.9") :
		peer_reply(peer, call, "", NULL);
}

#endif
