#include "setup/volume/account.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "rules/match/classes.h"
#include "setup/base/text.h"
#include "setup/config/rulefiles.h"

enum {
	NAMES_MAX = 4096,
	OPEN_MAX = 1 << 16,	/* events between whose records there are at most so many others */
	GROUPS_MAX = 4,		/* keys of one event */
	LOW_AUID = 1000,
};
#define AUID_UNSET UINT32_MAX

/* An event of which more records may come, in the place that its number has in a table: the one that was there before it
 * has long ended. */
struct open_event {
	uint64_t boot, id;
	uint64_t bytes;
	uint32_t records;
	uint16_t groups[GROUPS_MAX], n_groups;	/* indices */
	uint16_t own;		/* the group of a record without a key, plus one */
	uint16_t program;	/* plus one */
	uint8_t class;		/* enum auid_class */
};

/* What goes when [events] GROUP = no, beside the rules' own: rules/NN-GROUP-no.rules. */
static const struct {
	const char *group, *types;	/* with a space around each */
} own_types[] = {
	{ "audit-config", " CONFIG_CHANGE FEATURE_CHANGE EVENT_LISTENER " },
	{ "apparmor", " AVC " },
	{ "logins", " USER_AUTH USER_ACCT USER_LOGIN USER_LOGOUT USER_ERR GRP_AUTH LOGIN USER_START USER_END CRED_ACQ CRED_DISP "
	  "CRED_REFR CHUSER_ID CHGRP_ID USER_MGMT USER_CHAUTHTOK ADD_USER DEL_USER ADD_GROUP DEL_GROUP GRP_MGMT "
	  "GRP_CHAUTHTOK ACCT_LOCK ACCT_UNLOCK ANOM_LOGIN_FAILURES ANOM_LOGIN_TIME ANOM_LOGIN_SESSIONS ANOM_LOGIN_ACCT "
	  "ANOM_LOGIN_LOCATION RESP_ACCT_LOCK RESP_ACCT_LOCK_TIMED RESP_ACCT_UNLOCK_TIMED " },
	{ "tty", " TTY USER_TTY " },
};

static void sum_add(struct sum *sum, uint64_t events, uint64_t records, uint64_t bytes)
{
	sum->events += events;
	sum->records += records;
	sum->bytes += bytes;
}

/* --- names --------------------------------------------------------------------------------- */

static int tallies_init(struct tallies *tallies)
{
	tallies->items = calloc(NAMES_MAX + 1, sizeof(*tallies->items));
	return tallies->items ? map_init(&tallies->index, NAMES_MAX + 1) : -ENOMEM;
}

static void tallies_done(struct tallies *tallies)
{
	for (size_t i = 0; i < tallies->n; i++)
		free(tallies->items[i].name);
	free(tallies->items);
	map_done(&tallies->index);
}

/* The index of a name; of OTHERS when there are too many. Negative errno. */
static int tallies_index(struct tallies *tallies, const char *name)
{
	uint64_t key = map_hash(MAP_HASH_START, name, strlen(name));
	uint32_t at;

	if (map_find(&tallies->index, key, &at) && strcmp(tallies->items[at].name, name) == 0)
		return (int)at;
	if (tallies->n >= NAMES_MAX && strcmp(name, OTHERS) != 0)
		return tallies_index(tallies, OTHERS);
	/* Names whose hashes are the same take each other's place in the index: the last item is OTHERS. */
	if (tallies->n > NAMES_MAX)
		return NAMES_MAX;
	at = (uint32_t)tallies->n;
	tallies->items[at].name = strdup(name);
	if (!tallies->items[at].name)
		return -ENOMEM;
	tallies->n++;
	map_put(&tallies->index, key, at);
	return (int)at;
}

static int by_bytes(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;

	if (x->sum.bytes != y->sum.bytes)
		return x->sum.bytes < y->sum.bytes ? 1 : -1;
	return strcmp(x->name, y->name);
}

const struct sum *tallies_find(const struct tallies *tallies, const char *name)
{
	for (size_t i = 0; i < tallies->n; i++)
		if (strcmp(tallies->items[i].name, name) == 0)
			return &tallies->items[i].sum;
	return NULL;
}

/* --- a record's fields --------------------------------------------------------------------- */

/* The value of the last " NAME=" in a record, as far as a space; false: there is none. */
static bool find_field(const struct journal_record *record, const char *name, const char **ret, size_t *ret_size)
{
	const char *s = record->text, *end = s + record->size;
	size_t n = strlen(name);
	bool found = false;

	while ((s = memmem(s, (size_t)(end - s), name, n))) {
		s += n;
		*ret = s;
		found = true;
	}
	for (s = found ? *ret : end; found && s < end && *s != ' '; s++)
		;
	*ret_size = found ? (size_t)(s - *ret) : 0;
	return found;
}

static void add_visible(struct text *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		text_addf(out, s[i] >= 0x20 && s[i] < 0x7f && s[i] != '\\' ? "%c" : "\\x%02x", (unsigned char)s[i]);
}

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What the kernel wrote as "TEXT", or in hexadecimal where that has a quote, a space or no character in it
 * (kernel/audit.c audit_log_untrustedstring()); "" for (null). What is neither stands as it is. */
static void decode(struct text *out, const char *s, size_t n)
{
	bool hex = n > 0 && n % 2 == 0;

	if (n >= 2 && s[0] == '"' && s[n - 1] == '"') {
		text_add_bytes(out, s + 1, n - 2);
		return;
	}
	if (n == 6 && memcmp(s, "(null)", 6) == 0)
		return;
	for (size_t i = 0; hex && i < n; i++)
		hex = digit(s[i]) >= 0;
	for (size_t i = 0; hex && i < n; i += 2)
		text_addf(out, "%c", digit(s[i]) * 16 + digit(s[i + 1]));
	if (!hex)
		text_add_bytes(out, s, n);
}

static int visible_index(struct tallies *tallies, const char *s, size_t n)
{
	_cleanup_text_ struct text name = {0};

	add_visible(&name, s, n);
	if (text_error(&name) < 0)
		return -ENOMEM;
	return tallies_index(tallies, name.s ? name.s : "");
}

/* --- events -------------------------------------------------------------------------------- */

/* Are all its groups among those that [filter] workloads and sessions are about? */
static bool is_filtered(const struct account *account, const struct open_event *event)
{
	bool is = true;

	for (size_t i = 0; i < event->n_groups; i++)
		is = is && rulefiles_by_class(account->groups.items[event->groups[i]].name);
	return is;
}

/* Of an event of a rule. */
static void add_class(struct account *account, const struct open_event *event)
{
	sum_add(&account->of_class[event->class], 1, event->records, event->bytes);
	if (is_filtered(account, event))
		sum_add(&account->filtered[event->class], 1, event->records, event->bytes);
}

/* An event's end. */
static int settle(struct account *account, struct open_event *event)
{
	int program, group;

	if (event->records == 0)
		return 0;
	program = event->program ? event->program - 1 : tallies_index(&account->programs, NO_PROGRAM);
	group = event->n_groups ? event->groups[0] : event->own ? event->own - 1 : tallies_index(&account->groups, NO_KEY);
	if (program < 0 || group < 0)
		return -ENOMEM;
	sum_add(&account->programs.items[program].sum, 1, event->records, event->bytes);
	if (event->class >= AUID_WORKLOADS)
		sum_add(&account->programs.items[program].contained, 1, event->records, event->bytes);
	sum_add(&account->groups.items[group].sum, 1, event->records, event->bytes);
	for (size_t i = 1; i < event->n_groups; i++)
		sum_add(&account->groups.items[event->groups[i]].sum, 1, event->records, event->bytes);
	if (event->n_groups)
		add_class(account, event);
	account->all.events++;
	event->records = 0;
	return 0;
}

static int add_group(struct account *account, struct open_event *event, const char *key, size_t n)
{
	int group = visible_index(&account->groups, key, n);

	for (size_t i = 0; i < event->n_groups; i++)
		if (event->groups[i] == group)
			return 0;
	if (group >= 0 && event->n_groups < GROUPS_MAX)
		event->groups[event->n_groups++] = (uint16_t)group;
	return group < 0 ? group : 0;
}

/* Several keys of a rule are one field, with a byte 1 between them. */
static int add_groups(struct account *account, struct open_event *event, const struct journal_record *record)
{
	_cleanup_text_ struct text keys = {0};
	const char *value;
	size_t n;

	if (!find_field(record, " key=", &value, &n))
		return 0;
	decode(&keys, value, n);
	if (text_error(&keys) < 0)
		return -ENOMEM;
	for (size_t at = 0; at < keys.len;) {
		const char *end = memchr(keys.s + at, 1, keys.len - at);
		size_t length = end ? (size_t)(end - keys.s) - at : keys.len - at;
		int r = length ? add_group(account, event, keys.s + at, length) : 0;

		if (r < 0)
			return r;
		at += length + 1;
	}
	return 0;
}

static int add_program(struct account *account, struct open_event *event, const struct journal_record *record)
{
	_cleanup_text_ struct text path = {0};
	const char *value;
	size_t n;
	int program;

	if (event->program || !find_field(record, " exe=", &value, &n))
		return 0;
	decode(&path, value, n);
	if (text_error(&path) < 0)
		return -ENOMEM;
	if (path.len == 0 || (path.len == 1 && *path.s == '?'))
		return 0;
	program = visible_index(&account->programs, path.s, path.len);
	event->program = (uint16_t)(program + 1);
	return program < 0 ? program : 0;
}

static enum auid_class class_of(const struct journal_record *record)
{
	static const struct {
		uint32_t below;
		enum auid_class class;
	} classes[] = {
		{ LOW_AUID, AUID_LOW }, { CLASS_WORKLOADS, AUID_PEOPLE }, { CLASS_SESSIONS, AUID_WORKLOADS },
		{ CLASS_TERMINALS, AUID_SESSIONS }, { CLASS_END, AUID_TERMINALS }, { AUID_UNSET, AUID_PEOPLE },
	};
	const char *value;
	size_t n;
	uint64_t auid = 0;

	if (!find_field(record, " auid=", &value, &n) || n > 10)
		return AUID_PEOPLE;
	for (size_t i = 0; i < n; i++)
		auid = auid * 10 + (uint64_t)(value[i] - '0');
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (auid < classes[i].below)
			return classes[i].class;
	return auid == AUID_UNSET ? AUID_LOW : AUID_PEOPLE;
}

static int own_group(struct account *account, const char *type, size_t n)
{
	char word[64];

	if (n + 3 > sizeof(word))
		return 0;
	snprintf(word, sizeof(word), " %.*s ", (int)n, type);
	for (size_t i = 0; i < ARRAY_SIZE(own_types); i++)
		if (strstr(own_types[i].types, word)) {
			int group = tallies_index(&account->groups, own_types[i].group);

			return group < 0 ? group : group + 1;
		}
	return 0;
}

static size_t type_length(const struct journal_record *record)
{
	const char *space = memchr(record->text, ' ', record->size);

	return space ? (size_t)(space - record->text) : record->size;
}

static bool has_type(const struct journal_record *record, const char *type)
{
	size_t n = strlen(type);

	return type_length(record) == n && memcmp(record->text, type, n) == 0;
}

/* What this record tells of its event. */
static int look_at(struct account *account, struct open_event *event, const struct journal_record *record)
{
	int own, r = add_program(account, event, record);

	if (r < 0)
		return r;
	/* Of other types a key is that of the rule which the record is about. */
	if (has_type(record, "SYSCALL") || has_type(record, "URINGOP")) {
		event->class = (uint8_t)class_of(record);
		return add_groups(account, event, record);
	}
	if (event->class == AUID_PEOPLE)
		event->class = (uint8_t)class_of(record);
	own = own_group(account, record->text, type_length(record));
	if (own > 0)
		event->own = (uint16_t)own;
	return own < 0 ? own : 0;
}

int account_take(void *context, const struct journal_record *record)
{
	struct account *account = context;
	struct open_event *event = &account->open[record->event % OPEN_MAX];
	int type = visible_index(&account->types, record->text, type_length(record)), r;

	if (type < 0)
		return type;
	sum_add(&account->types.items[type].sum, 0, 1, record->size);
	sum_add(&account->all, 0, 1, record->size);
	if (event->records > 0 && (!record->event || event->id != record->event || event->boot != record->boot)) {
		r = settle(account, event);
		if (r < 0)
			return r;
	}
	if (event->records == 0)
		*event = (struct open_event){ .boot = record->boot, .id = record->event };
	event->records++;
	event->bytes += record->size;
	return look_at(account, event, record);
}

int account_init(struct account *account)
{
	*account = (struct account){ .open = calloc(OPEN_MAX, sizeof(*account->open)) };
	if (!account->open || tallies_init(&account->groups) < 0 || tallies_init(&account->types) < 0)
		return -ENOMEM;
	return tallies_init(&account->programs);
}

/* One whose name was made before it was known whether anything is its. */
static void drop_empty(struct tallies *tallies)
{
	while (tallies->n > 0 && tallies->items[tallies->n - 1].sum.records == 0)
		free(tallies->items[--tallies->n].name);
}

int account_finish(struct account *account)
{
	struct tallies *const all[] = { &account->groups, &account->types, &account->programs };

	for (size_t i = 0; i < OPEN_MAX; i++)
		if (settle(account, &account->open[i]) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		qsort(all[i]->items, all[i]->n, sizeof(*all[i]->items), by_bytes);
		drop_empty(all[i]);
	}
	return 0;
}

void account_done(struct account *account)
{
	tallies_done(&account->groups);
	tallies_done(&account->types);
	tallies_done(&account->programs);
	free(account->open);
	*account = (struct account){0};
}
