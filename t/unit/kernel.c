/* The netlink client over a script instead of a socket. */
#include "t/unit/test.h"

#include <libaudit.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <time.h>

#include "setup/base/text.h"
#include "setup/kernel/kernel.h"

enum { STEPS_MAX = 64, SENDER = 4711 };

/* What receive() does, one step a call: an error, or a datagram from somebody. */
struct step {
	int error;
	uint32_t sender;
	ssize_t size;	/* as recvfrom(2) with MSG_TRUNC says it, 0: that of the data */
	struct text data;
};

struct script {
	struct step steps[STEPS_MAX];
	size_t n, next;
	int send_error;
	struct nlmsghdr request;
	size_t request_size;
	int requests;
	int timeout;	/* of the last receive */
	bool closed;
};

static ssize_t script_send(void *context, const void *message, size_t size)
{
	struct script *s = context;

	s->requests++;
	s->request_size = size;
	memcpy(&s->request, message, size < sizeof(s->request) ? size : sizeof(s->request));
	return s->send_error ? s->send_error : (ssize_t)size;
}

static ssize_t script_receive(void *context, void *buffer, size_t size, uint32_t *ret_sender,
			      int timeout)
{
	struct script *s = context;
	struct step *step;

	s->timeout = timeout;
	if (s->next == s->n)
		return -ETIMEDOUT;
	step = &s->steps[s->next++];
	if (step->error)
		return step->error;
	*ret_sender = step->sender;
	if (step->data.s)
		memcpy(buffer, step->data.s, step->data.len < size ? step->data.len : size);
	return step->size ? step->size : (ssize_t)step->data.len;
}

static void script_close(void *context)
{
	struct script *s = context;

	for (size_t i = 0; i < s->n; i++)
		text_done(&s->steps[i].data);
	s->closed = true;
}

static struct kernel *start(struct script *s)
{
	struct kernel_io io = { script_send, script_receive, script_close, s };
	struct kernel *kernel;

	assert_int_equal(kernel_open_io(&kernel, &io), 0);
	return kernel;
}

static struct step *add_step(struct script *s)
{
	assert_true(s->n < STEPS_MAX);
	return &s->steps[s->n++];
}

static void add_error(struct script *s, int error)
{
	add_step(s)->error = error;
}

/* A message of a datagram; length 0: the right one. */
static void put(struct step *step, uint32_t length, uint16_t type, uint32_t sequence,
		const void *payload, size_t size)
{
	struct nlmsghdr header = {
		.nlmsg_len = length ? length : (uint32_t)(NLMSG_HDRLEN + size), .nlmsg_type = type,
		.nlmsg_seq = sequence,
	};

	text_add_bytes(&step->data, &header, sizeof(header));
	text_add_bytes(&step->data, payload, size);
	while (step->data.len % NLMSG_ALIGNTO)
		text_add_bytes(&step->data, "", 1);
	assert_int_equal(text_error(&step->data), 0);
}

static void put_ack(struct step *step, uint32_t sequence, int error)
{
	const struct nlmsgerr ack = { .error = error };

	put(step, 0, NLMSG_ERROR, sequence, &ack, sizeof(ack));
}

static const struct audit_status status_sent = {
	.mask = 0xffff, .enabled = 2, .failure = 1, .pid = 77, .rate_limit = 5, .backlog_limit = 8192,
	.lost = 3, .backlog = 4, .feature_bitmap = 0x7f, .backlog_wait_time = 15000,
};

static void put_status(struct step *step, uint32_t sequence)
{
	put(step, 0, AUDIT_GET, sequence, &status_sent, sizeof(status_sent));
}

static void put_other_status(struct step *step, uint32_t sequence)
{
	const struct audit_status other = { .enabled = 9 };

	put(step, 0, AUDIT_GET, sequence, &other, sizeof(other));
}

static void put_rule(struct step *step, uint32_t sequence, uint32_t flags, const char *text)
{
	const struct audit_rule_data head = {
		.flags = flags, .action = AUDIT_ALWAYS, .field_count = 1, .buflen = (uint32_t)strlen(text),
	};
	_cleanup_text_ struct text rule = {0};

	text_add_bytes(&rule, &head, sizeof(head));
	text_add(&rule, text);
	put(step, 0, AUDIT_LIST_RULES, sequence, rule.s, rule.len);
}

static void status_is_whole(const struct kernel_status *status)
{
	assert_int_equal(status->enabled, 2);
	assert_int_equal(status->failure, 1);
	assert_int_equal(status->pid, 77);
	assert_int_equal(status->rate_limit, 5);
	assert_int_equal(status->backlog_limit, 8192);
	assert_int_equal(status->lost, 3);
	assert_int_equal(status->backlog, 4);
	assert_int_equal(status->feature_bitmap, 0x7f);
	assert_int_equal(status->backlog_wait_time, 15000);
	assert_in_range(status->hz, 24, 10000);
}

/* Runs AUDIT_GET over the script; every step of it must be needed. */
static int get_status(struct script *s, struct kernel_status *ret)
{
	struct kernel *kernel = start(s);
	int r = kernel_get_status(kernel, ret);

	assert_int_equal(s->next, s->n);
	kernel_close(kernel);
	assert_true(s->closed);
	return r;
}

static int list_rules(struct script *s, struct kernel_rules *ret)
{
	struct kernel *kernel = start(s);
	int r = kernel_list_rules(kernel, ret);

	kernel_close(kernel);
	return r;
}

static void request(void **state)
{
	struct script s = {0};
	struct kernel *kernel = start(&s);
	struct kernel_status status;
	struct kernel_rules rules;
	bool immutable;

	assert_int_equal(kernel_get_status(kernel, &status), -ETIMEDOUT);
	assert_int_equal(s.request_size, NLMSG_HDRLEN);
	assert_int_equal(s.request.nlmsg_len, NLMSG_HDRLEN);
	assert_int_equal(s.request.nlmsg_type, AUDIT_GET);
	assert_int_equal(s.request.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(s.request.nlmsg_seq, 1);
	assert_true(s.timeout > 4000 && s.timeout <= 5000);
	assert_int_equal(kernel_get_loginuid_immutable(kernel, &immutable), -ETIMEDOUT);
	assert_int_equal(s.request.nlmsg_type, AUDIT_GET_FEATURE);
	assert_int_equal(s.request.nlmsg_seq, 2);
	assert_int_equal(kernel_list_rules(kernel, &rules), -ETIMEDOUT);
	assert_int_equal(s.request.nlmsg_type, AUDIT_LIST_RULES);
	assert_int_equal(s.request.nlmsg_seq, 3);
	kernel_close(kernel);
}

static void send_fails(void **state)
{
	struct script s = { .send_error = -ECONNREFUSED };
	struct kernel_status status;

	assert_int_equal(get_status(&s, &status), -ECONNREFUSED);
}

static void ack_first(void **state)
{
	struct script s = {0};
	struct kernel_status status = {0};

	put_ack(add_step(&s), 1, 0);
	put_status(add_step(&s), 1);
	assert_int_equal(get_status(&s, &status), 0);
	status_is_whole(&status);
}

static void reply_first(void **state)
{
	struct script s = {0};
	struct kernel_status status = {0};

	put_status(add_step(&s), 1);
	put_ack(add_step(&s), 1, 0);
	assert_int_equal(get_status(&s, &status), 0);
	status_is_whole(&status);
}

static void one_datagram(void **state)
{
	struct script s = {0};
	struct kernel_status status = {0};
	struct step *step = add_step(&s);

	put_ack(step, 1, 0);
	put(step, 0, NLMSG_NOOP, 1, "xyz", 3);	/* padded */
	put_status(step, 1);
	put_other_status(step, 1);
	assert_int_equal(get_status(&s, &status), 0);
	status_is_whole(&status);
}

static void unpadded(void **state)
{
	struct script s = {0};
	struct kernel_rules rules = {0};
	struct step *step = add_step(&s);

	/* The kernel does not pad the last message of a datagram. */
	put_ack(add_step(&s), 1, 0);
	put_rule(step, 1, AUDIT_FILTER_EXIT, "abcde");
	step->data.len -= 3;
	put(add_step(&s), 0, NLMSG_DONE, 1, NULL, 0);
	assert_int_equal(list_rules(&s, &rules), 0);
	assert_int_equal(rules.n, 1);
	assert_memory_equal(rules.rules[0].data->buf, "abcde", 5);
	kernel_rules_done(&rules);
}

static void ack_alone(void **state)
{
	struct script s = {0}, t = {0};
	struct kernel_status status;

	put_ack(add_step(&s), 1, 0);
	assert_int_equal(get_status(&s, &status), -ETIMEDOUT);
	put_status(add_step(&t), 1);
	assert_int_equal(get_status(&t, &status), -ETIMEDOUT);
}

static void foreign_sender(void **state)
{
	struct script s = {0};
	struct kernel_status status = {0};
	struct step *step = add_step(&s);

	step->sender = SENDER;
	put_ack(step, 1, 0);
	put_other_status(step, 1);
	step = add_step(&s);
	step->sender = SENDER;
	put_ack(step, 1, -EPERM);
	step = add_step(&s);
	step->sender = SENDER;
	text_add(&step->data, "no netlink");
	step = add_step(&s);
	step->sender = SENDER;
	step->size = 100000;
	put_status(add_step(&s), 1);
	put_ack(add_step(&s), 1, 0);
	assert_int_equal(get_status(&s, &status), 0);
	status_is_whole(&status);
}

static void wrong_sequence(void **state)
{
	struct script s = {0};
	struct kernel_status status = {0};

	put_ack(add_step(&s), 0, -EPERM);
	put_ack(add_step(&s), 2, 0);
	put_other_status(add_step(&s), 0);
	put_other_status(add_step(&s), 2);
	put(add_step(&s), 0, NLMSG_ERROR, 2, "x", 1);
	put_status(add_step(&s), 1);
	put_ack(add_step(&s), 1, 0);
	assert_int_equal(get_status(&s, &status), 0);
	status_is_whole(&status);
}

static void late_reply(void **state)
{
	struct script s = {0};
	struct kernel *kernel = start(&s);
	struct kernel_status status = {0};

	assert_int_equal(kernel_get_status(kernel, &status), -ETIMEDOUT);
	/* The answer to the first comes when the second is waited for. */
	put_other_status(add_step(&s), 1);
	put_ack(add_step(&s), 1, 0);
	put_status(add_step(&s), 2);
	put_ack(add_step(&s), 2, 0);
	assert_int_equal(kernel_get_status(kernel, &status), 0);
	status_is_whole(&status);
	kernel_close(kernel);
}

static void other_types(void **state)
{
	struct script s = {0};
	struct kernel_status status = {0};

	put(add_step(&s), 0, AUDIT_USER, 1, "text", 4);
	put(add_step(&s), 0, AUDIT_LIST_RULES, 1, "", 0);
	put(add_step(&s), 0, NLMSG_DONE, 1, "", 0);
	put_status(add_step(&s), 1);
	put_ack(add_step(&s), 1, 0);
	assert_int_equal(get_status(&s, &status), 0);
	status_is_whole(&status);
}

static void errors(void **state)
{
	static const int codes[] = { EPERM, EINVAL, ECONNREFUSED, 4095 };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct script s = {0};
		struct kernel_status status = { .enabled = 5 };

		put_ack(add_step(&s), 1, -codes[i]);
		assert_int_equal(get_status(&s, &status), -codes[i]);
		assert_int_equal(status.enabled, 5);
	}
}

static void error_after_reply(void **state)
{
	struct script s = {0};
	struct kernel_status status = { .enabled = 7 };

	put_status(add_step(&s), 1);
	put_ack(add_step(&s), 1, -EPERM);
	assert_int_equal(get_status(&s, &status), -EPERM);
	assert_int_equal(status.enabled, 7);
}

static void impossible_errors(void **state)
{
	static const int codes[] = { 1, INT32_MAX, -4096, INT32_MIN };

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct script s = {0};
		struct kernel_status status;

		put_ack(add_step(&s), 1, codes[i]);
		assert_int_equal(get_status(&s, &status), -EPROTO);
	}
}

static void truncated(void **state)
{
	static const size_t sizes[] = { 1, 4, 15, 16, 17, 31 };

	/* Less than a header, or less than the header says. */
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct script s = {0};
		struct kernel_status status;
		struct step *step = add_step(&s);

		put_status(step, 1);
		step->data.len = sizes[i];
		assert_int_equal(get_status(&s, &status), -EPROTO);
	}
}

static void truncated_second(void **state)
{
	struct script s = {0};
	struct kernel_status status;
	struct step *step = add_step(&s);

	put_ack(step, 1, 0);
	put_status(step, 1);
	step->data.len -= 8;
	assert_int_equal(get_status(&s, &status), -EPROTO);
}

static void lengths(void **state)
{
	static const uint32_t bad[] = {
		1, 15, 100000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffd, 0xffffffff,
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct script s = {0};
		struct kernel_status status;

		put(add_step(&s), bad[i], AUDIT_GET, 1, &status_sent, sizeof(status_sent));
		assert_int_equal(get_status(&s, &status), -EPROTO);
	}
}

static void length_zero(void **state)
{
	struct script s = {0};
	struct kernel_status status;
	struct step *step = add_step(&s);

	put(step, 0, NLMSG_NOOP, 1, NULL, 0);
	memset(step->data.s, 0, 4);
	assert_int_equal(get_status(&s, &status), -EPROTO);
}

static void ack_too_short(void **state)
{
	struct script s = {0};
	struct kernel_status status;

	put(add_step(&s), NLMSG_HDRLEN + 3, NLMSG_ERROR, 1, "\0\0\0", 4);
	assert_int_equal(get_status(&s, &status), -EPROTO);
}

static void too_large(void **state)
{
	struct script s = {0};
	struct kernel_status status;
	struct step *step = add_step(&s);

	put_status(step, 1);
	put_ack(step, 1, 0);
	put(step, 16385 - (uint32_t)step->data.len, NLMSG_NOOP, 1, NULL, 0);
	step->size = 16385;	/* MSG_TRUNC: what did not fit the buffer is lost */
	assert_int_equal(get_status(&s, &status), -EPROTO);
}

static void interrupted(void **state)
{
	struct script s = {0};
	struct kernel_status status = {0};

	add_error(&s, -EINTR);
	add_error(&s, -EAGAIN);
	put_ack(add_step(&s), 1, 0);
	add_error(&s, -EINTR);
	put_status(add_step(&s), 1);
	assert_int_equal(get_status(&s, &status), 0);
	status_is_whole(&status);
}

static void lost(void **state)
{
	struct script s = {0}, t = {0};
	struct kernel_status status;
	struct kernel_rules rules = {0};

	put_ack(add_step(&s), 1, 0);
	add_error(&s, -ENOBUFS);
	assert_int_equal(get_status(&s, &status), -ENOBUFS);
	for (uint32_t i = 1; i <= 8; i++) {
		put_rule(add_step(&t), i, 4, "x");
		add_error(&t, -ENOBUFS);
		if (i < 8)
			add_error(&t, -ETIMEDOUT);
	}
	assert_int_equal(list_rules(&t, &rules), -ENOBUFS);
	assert_null(rules.rules);
	assert_int_equal(t.requests, 8);
}

static void lost_once(void **state)
{
	struct script s = {0};
	struct kernel_rules rules = {0};

	put_ack(add_step(&s), 1, 0);
	put_rule(add_step(&s), 1, 4, "x");
	add_error(&s, -ENOBUFS);
	put_rule(add_step(&s), 1, 4, "left over");
	add_error(&s, -ETIMEDOUT);
	put_ack(add_step(&s), 2, 0);
	put_rule(add_step(&s), 2, 4, "y");
	put(add_step(&s), 0, NLMSG_DONE, 2, "", 0);
	assert_int_equal(list_rules(&s, &rules), 0);
	assert_int_equal(rules.n, 1);
	assert_memory_equal(rules.rules[0].data->buf, "y", 1);
	kernel_rules_done(&rules);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void timeout(void **state)
{
	struct script s = {0};
	struct kernel_status status;
	int64_t before = now_ms();

	for (int i = 0; i < 10; i++)
		add_error(&s, -EINTR);
	assert_int_equal(get_status(&s, &status), -ETIMEDOUT);
	assert_int_equal(s.requests, 1);
	assert_true(now_ms() - before < 1000);
}

static void old_status(void **state)
{
	struct script s = {0};
	struct kernel_status status;
	size_t size = offsetof(struct audit_status, feature_bitmap);

	memset(&status, 0xff, sizeof(status));
	put(add_step(&s), 0, AUDIT_GET, 1, &status_sent, size);
	put_ack(add_step(&s), 1, 0);
	assert_int_equal(get_status(&s, &status), 0);
	assert_int_equal(status.enabled, 2);
	assert_int_equal(status.backlog, 4);
	assert_int_equal(status.feature_bitmap, 0);
	assert_int_equal(status.backlog_wait_time, 0);
}

static void short_status(void **state)
{
	struct script s = {0};
	struct kernel_status status;

	put(add_step(&s), 0, AUDIT_GET, 1, &status_sent,
	    offsetof(struct audit_status, feature_bitmap) - 4);
	assert_int_equal(get_status(&s, &status), -EPROTO);
}

static void new_status(void **state)
{
	struct script s = {0};
	struct kernel_status status = {0};
	char grown[sizeof(status_sent) + 40] = {0};

	memcpy(grown, &status_sent, sizeof(status_sent));
	put(add_step(&s), 0, AUDIT_GET, 1, grown, sizeof(grown));
	put_ack(add_step(&s), 1, 0);
	assert_int_equal(get_status(&s, &status), 0);
	status_is_whole(&status);
}

static int get_features(const struct audit_features *features, size_t size, bool *ret)
{
	struct script s = {0};
	struct kernel *kernel = start(&s);
	int r;

	put_ack(add_step(&s), 1, 0);
	put(add_step(&s), 0, AUDIT_GET_FEATURE, 1, features, size);
	r = kernel_get_loginuid_immutable(kernel, ret);
	kernel_close(kernel);
	return r;
}

static void features(void **state)
{
	struct audit_features f = { .mask = 3, .features = 1u << AUDIT_FEATURE_LOGINUID_IMMUTABLE };
	bool immutable = false;

	assert_int_equal(get_features(&f, sizeof(f), &immutable), 0);
	assert_true(immutable);
	f.features = ~f.features;
	assert_int_equal(get_features(&f, sizeof(f), &immutable), 0);
	assert_false(immutable);
	assert_int_equal(get_features(&f, sizeof(f) - 4, &immutable), -EPROTO);
}

static void rules_in_order(void **state)
{
	struct script s = {0};
	struct kernel_rules rules = {0};
	struct step *step;
	char other[1100] = "a reply as long as a rule";

	put_rule(add_step(&s), 1, AUDIT_FILTER_EXIT, "/etc/first");
	put_ack(add_step(&s), 1, 0);
	step = add_step(&s);
	put_rule(step, 1, AUDIT_FILTER_USER, "");
	put_rule(step, 1, AUDIT_FILTER_EXIT, "/etc/third");
	put_rule(step, 7, AUDIT_FILTER_EXIT, "other");
	put(step, 0, AUDIT_GET, 1, other, sizeof(other));
	put(step, 0, NLMSG_DONE, 1, NULL, 0);
	put_rule(step, 1, AUDIT_FILTER_EXIT, "after");
	assert_int_equal(list_rules(&s, &rules), 0);
	assert_int_equal(rules.n, 3);
	assert_memory_equal(rules.rules[0].data->buf, "/etc/first", 10);
	assert_int_equal(rules.rules[0].size, sizeof(struct audit_rule_data) + 10);
	assert_int_equal(rules.rules[1].data->flags, AUDIT_FILTER_USER);
	assert_int_equal(rules.rules[1].size, sizeof(struct audit_rule_data));
	assert_memory_equal(rules.rules[2].data->buf, "/etc/third", 10);
	kernel_rules_done(&rules);
	assert_null(rules.rules);
}

static void rules_none(void **state)
{
	struct script s = {0};
	struct kernel_rules rules = { .n = 5 };

	put(add_step(&s), 0, NLMSG_DONE, 1, NULL, 0);
	put_ack(add_step(&s), 1, 0);
	assert_int_equal(list_rules(&s, &rules), 0);
	assert_int_equal(rules.n, 0);
	kernel_rules_done(&rules);
}

static void rules_done_first(void **state)
{
	struct script s = {0};
	struct kernel_rules rules = {0};

	/* The list is over only when the kernel says so. */
	put_ack(add_step(&s), 1, 0);
	put_rule(add_step(&s), 1, AUDIT_FILTER_EXIT, "/etc/first");
	assert_int_equal(list_rules(&s, &rules), -ETIMEDOUT);
	assert_null(rules.rules);
}

static void rule_lies(void **state)
{
	static const uint32_t lengths_said[] = { 5, 64, 0x7fffffff, 0xfffffbf0, 0xffffffff };

	for (size_t i = 0; i < ARRAY_SIZE(lengths_said); i++) {
		struct script s = {0};
		struct kernel_rules rules = {0};
		struct step *step = add_step(&s);

		put_rule(step, 1, AUDIT_FILTER_EXIT, "good");
		put_rule(step, 1, AUDIT_FILTER_EXIT, "four");
		memcpy(step->data.s + step->data.len - 4 - sizeof(uint32_t), &lengths_said[i],
		       sizeof(uint32_t));
		assert_int_equal(list_rules(&s, &rules), -EPROTO);
		assert_null(rules.rules);
		assert_int_equal(rules.n, 0);
	}
}

static void rule_short_buffer(void **state)
{
	struct script s = {0};
	struct kernel_rules rules = {0};
	struct step *step = add_step(&s);
	const uint32_t said = 2;

	/* More came than buflen says: what is behind it is padding. */
	put_rule(step, 1, AUDIT_FILTER_EXIT, "four");
	memcpy(step->data.s + step->data.len - 4 - sizeof(said), &said, sizeof(said));
	put_ack(step, 1, 0);
	put(step, 0, NLMSG_DONE, 1, NULL, 0);
	assert_int_equal(list_rules(&s, &rules), 0);
	assert_int_equal(rules.rules[0].size, sizeof(struct audit_rule_data) + 2);
	kernel_rules_done(&rules);
}

static void rule_cut(void **state)
{
	struct script s = {0};
	struct kernel_rules rules = {0};

	put(add_step(&s), 0, AUDIT_LIST_RULES, 1, "short", 5);
	assert_int_equal(list_rules(&s, &rules), -EPROTO);
}

/* --- every datagram of every request, hit by every fault --- */

enum { REQUESTS = 3 };

/* The answer to a request, datagram by datagram; how many there are. */
static size_t put_good(struct script *s, int what, uint32_t sequence, size_t from)
{
	const struct audit_features f = { .features = 1u << AUDIT_FEATURE_LOGINUID_IMMUTABLE };
	size_t n = 0;

	if (n++ >= from)
		put_ack(add_step(s), sequence, 0);
	if (what == 0 && n++ >= from)
		put_status(add_step(s), sequence);
	if (what == 1 && n++ >= from)
		put(add_step(s), 0, AUDIT_GET_FEATURE, sequence, &f, sizeof(f));
	if (what == 2 && n++ >= from)
		put_rule(add_step(s), sequence, AUDIT_FILTER_EXIT, "first");
	if (what == 2 && n++ >= from)
		put_rule(add_step(s), sequence, AUDIT_FILTER_EXIT, "second");
	if (what == 2 && n++ >= from)
		put(add_step(s), 0, NLMSG_DONE, sequence, NULL, 0);
	return n;
}

/* Asks, and looks whether what was given out is whole, or untouched. */
static int ask(struct kernel *kernel, int what)
{
	struct kernel_status status = { .enabled = 77 };
	struct kernel_rules rules = { .n = 77 };
	bool immutable = false;
	int r;

	if (what == 0) {
		r = kernel_get_status(kernel, &status);
		assert_int_equal(status.enabled, r < 0 ? 77 : 2);
	} else if (what == 1) {
		r = kernel_get_loginuid_immutable(kernel, &immutable);
		assert_int_equal(immutable, r == 0);
	} else {
		r = kernel_list_rules(kernel, &rules);
		assert_int_equal(rules.n, r < 0 ? 77 : 2);
		if (r == 0) {
			assert_memory_equal(rules.rules[1].data->buf, "second", 6);
			kernel_rules_done(&rules);
		}
	}
	return r;
}

/* What comes instead of a datagram, or, with more, in front of it. */
static const struct netlink_fault {
	const char *name;
	bool more;
	int error;	/* of receive(), or in an acknowledgement */
	enum { RECEIVE, ACK, FOREIGN, SEQUENCE, CUT, TRUNC, HEADER, LENGTH, ZERO, TYPE, EMPTY } kind;
	int expected;
} netlink_faults[] = {
	{ "EINTR", true, -EINTR, RECEIVE, 0 },
	{ "EAGAIN", true, -EAGAIN, RECEIVE, 0 },
	{ "ENOBUFS", false, -ENOBUFS, RECEIVE, -ENOBUFS },
	{ "EIO", false, -EIO, RECEIVE, -EIO },
	{ "ENOMEM", false, -ENOMEM, RECEIVE, -ENOMEM },
	{ "ECONNREFUSED", false, -ECONNREFUSED, RECEIVE, -ECONNREFUSED },
	{ "silence", false, -ETIMEDOUT, RECEIVE, -ETIMEDOUT },
	{ "ack EPERM", false, -EPERM, ACK, -EPERM },
	{ "ack EINVAL", false, -EINVAL, ACK, -EINVAL },
	{ "ack ENOMEM", false, -ENOMEM, ACK, -ENOMEM },
	{ "ack EINTR", false, -EINTR, ACK, -EINTR },
	{ "ack ETIMEDOUT", false, -ETIMEDOUT, ACK, -ETIMEDOUT },
	{ "ack 4096", false, -4096, ACK, -EPROTO },
	{ "foreign", true, -EPERM, FOREIGN, 0 },
	{ "sequence", true, -EPERM, SEQUENCE, 0 },
	{ "cut", false, 0, CUT, -EPROTO },
	{ "MSG_TRUNC", false, 0, TRUNC, -EPROTO },
	{ "header", false, 0, HEADER, -EPROTO },
	{ "length", false, 0, LENGTH, -EPROTO },
	{ "length 0", false, 0, ZERO, -EPROTO },
	{ "type", true, 0, TYPE, 0 },
	{ "empty", true, 0, EMPTY, 0 },
};

static void put_fault(struct script *s, const struct netlink_fault *fault)
{
	struct step *step = add_step(s);

	if (fault->kind == RECEIVE) {
		step->error = fault->error;
		return;
	}
	if (fault->kind == EMPTY)
		return;
	step->sender = fault->kind == FOREIGN ? SENDER : 0;
	if (fault->kind == TYPE)
		put(step, 0, AUDIT_USER, 1, "text", 4);
	else
		put_ack(step, fault->kind == SEQUENCE ? 9 : 1, fault->error);
	if (fault->kind == CUT || fault->kind == HEADER)
		step->data.len = fault->kind == CUT ? NLMSG_HDRLEN + 2 : NLMSG_HDRLEN - 1;
	if (fault->kind == TRUNC)
		step->size = 16385;
	if (fault->kind == LENGTH || fault->kind == ZERO)
		memset(step->data.s, fault->kind == ZERO ? 0 : 0x7f, 4);
}

static int run_netlink(const struct netlink_fault *fault, int what, size_t at)
{
	struct script s = {0}, good = {0};
	struct kernel *kernel;
	int r;

	/* The steps in front of the fault are those of a good answer, cut there. */
	put_good(&good, what, 1, 0);
	for (size_t i = 0; i < at; i++)
		s.steps[s.n++] = good.steps[i];
	put_fault(&s, fault);
	for (size_t i = fault->more ? at : at + 1; i < good.n; i++)
		s.steps[s.n++] = good.steps[i];
	if (!fault->more)
		text_done(&good.steps[at].data);
	/* A listing that was lost is drained, and asked for again. */
	if (fault->error == -ENOBUFS && what == 2) {
		add_error(&s, -ETIMEDOUT);
		put_good(&s, what, 2, 0);
	}
	kernel = start(&s);
	r = ask(kernel, what);
	kernel_close(kernel);
	return r;
}

static void every_datagram(void **state)
{
	static const char *const requests[REQUESTS] = { "AUDIT_GET", "AUDIT_GET_FEATURE", "AUDIT_LIST_RULES" };
	size_t runs = 0, points = 0, wrong = 0;

	for (int what = 0; what < REQUESTS; what++) {
		struct script count = {0};
		size_t n = put_good(&count, what, 1, 0);

		script_close(&count);
		for (size_t at = 0; at < n; at++, points++) {
			print_message("# %-17s %zu/%zu", requests[what], at + 1, n);
			for (size_t i = 0; i < ARRAY_SIZE(netlink_faults); i++, runs++) {
				const struct netlink_fault *fault = &netlink_faults[i];
				int expected = fault->error == -ENOBUFS && what == 2 ? 0 : fault->expected;
				int r = run_netlink(fault, what, at);

				print_message(" %s=%s", fault->name, r ? audit_errno_to_name(-r) : "ok");
				wrong += r != expected;
				if (r != expected)
					print_message("<- WRONG");
			}
			print_message("\n");
		}
	}
	print_message("# %zu points x %zu faults = %zu\n", points, ARRAY_SIZE(netlink_faults), runs);
	assert_int_equal(wrong, 0);
}

/* Interrupted again and again: the time that is left goes down all the same. */
static ssize_t interrupted_receive(void *context, void *buffer, size_t size, uint32_t *ret_sender, int timeout)
{
	const struct timespec pause = { .tv_nsec = 50000000 };

	nanosleep(&pause, NULL);
	return -EINTR;
}

static void interrupted_for_ever(void **state)
{
	struct script s = {0};
	struct kernel_io io = { script_send, interrupted_receive, script_close, &s };
	struct kernel_status status;
	struct kernel *kernel;
	int64_t before = now_ms();

	assert_int_equal(kernel_open_io(&kernel, &io), 0);
	assert_int_equal(kernel_get_status(kernel, &status), -ETIMEDOUT);
	assert_true(now_ms() - before >= 5000 && now_ms() - before < 15000);
	kernel_close(kernel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a request has no payload, asks for an ack and a sequence number of its own", request),
		TEST("a request that cannot be sent is that error", send_fails),
		TEST("the ack may come before the reply", ack_first),
		TEST("the reply may come before the ack", reply_first),
		TEST("several messages in one datagram are all read, the first reply counts", one_datagram),
		TEST("the last message of a datagram may lack its padding", unpadded),
		TEST("an ack alone or a reply alone is not enough", ack_alone),
		TEST("what does not come from the kernel is passed over", foreign_sender),
		TEST("another sequence number is passed over", wrong_sequence),
		TEST("the late reply to an earlier request is not taken for the next one's", late_reply),
		TEST("messages of other types are passed over", other_types),
		TEST("an error reply is that error", errors),
		TEST("an error after the reply counts, and nothing of the reply is given out", error_after_reply),
		TEST("an error number that cannot be is refused", impossible_errors),
		TEST("a truncated message is refused", truncated),
		TEST("a truncated second message is refused", truncated_second),
		TEST("a length below the header, behind the datagram, or that overflows is refused", lengths),
		TEST("a length of zero is refused and does not turn in a circle", length_zero),
		TEST("an ack without its number is refused", ack_too_short),
		TEST("a datagram larger than the buffer is refused", too_large),
		TEST("EINTR and EAGAIN are tried again", interrupted),
		TEST("lost replies are an error, nothing of the list is kept", lost),
		TEST("a listing of which a part was lost is asked for again", lost_once),
		TEST("nothing within the time is a timeout", timeout),
		TEST("an old kernel's shorter status is read, the rest is zero", old_status),
		TEST("a status without backlog is refused", short_status),
		TEST("a newer kernel's longer status is read", new_status),
		TEST("loginuid_immutable is read from the features", features),
		TEST("rules keep the kernel's order up to the end of the list", rules_in_order),
		TEST("no rules is an empty list", rules_none),
		TEST("a list without its end is no list", rules_done_first),
		TEST("a rule whose buflen lies is refused", rule_lies),
		TEST("bytes behind a rule's buflen are not part of it", rule_short_buffer),
		TEST("a rule cut short is refused", rule_cut),
		TEST("a fault in the place of any datagram of any request is that error, or passed over", every_datagram),
		TEST("interruptions do not put off the end", interrupted_for_ever),
	};

	return RUN(tests);
}
