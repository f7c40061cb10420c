#include "setup/kernel/kernel_private.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum {
	REPLY_TIMEOUT = 5000,	/* milliseconds */
	QUIET = 300,		/* milliseconds without a message: the kernel has ended a listing */
	LISTINGS = 8,		/* how often a listing is asked for that was lost in part */
};

struct kernel {
	struct kernel_io io;
	uint32_t sequence;
};

int kernel_open_io(struct kernel **ret, const struct kernel_io *io)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));

	if (!kernel)
		return -ENOMEM;
	kernel->io = *io;
	*ret = kernel;
	return 0;
}

struct kernel *kernel_close(struct kernel *kernel)
{
	if (kernel) {
		kernel->io.close(kernel->io.context);
		free(kernel);
	}
	return NULL;
}

/* One reply of the kernel: taken, or negative errno; sets *more to false after the last one. */
typedef int (*reply_handler)(void *context, uint16_t type, const void *payload, size_t size,
			     bool *more);

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Looks at what one datagram carries; *acked and *more say what is still missing. */
static int take_datagram(struct kernel *kernel, const char *buffer, size_t n, bool *acked,
			 reply_handler handler, void *context, bool *more)
{
	while (n > 0) {
		struct nlmsghdr header;
		struct nlmsgerr error;
		const char *payload = buffer + NLMSG_HDRLEN;
		size_t size, step;
		int r = 0;

		if (n < sizeof(header))
			return -EPROTO;
		memcpy(&header, buffer, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > n)
			return -EPROTO;
		size = header.nlmsg_len - NLMSG_HDRLEN;
		step = NLMSG_ALIGN((size_t)header.nlmsg_len);
		if (header.nlmsg_seq == kernel->sequence && header.nlmsg_type == NLMSG_ERROR) {
			if (size < sizeof(error.error))
				return -EPROTO;
			memcpy(&error.error, payload, sizeof(error.error));
			if (error.error > 0 || error.error < -4095)
				return -EPROTO;
			if (error.error < 0)
				return error.error;
			*acked = true;
		} else if (header.nlmsg_seq == kernel->sequence && *more) {
			r = handler(context, header.nlmsg_type, payload, size, more);
		}
		if (r < 0)
			return r;
		step = step < n ? step : n;
		buffer += step;
		n -= step;
	}
	return 0;
}

/* What is left of the time for a reply, in milliseconds. It begins when the first wait for it has brought nothing
 * (*deadline is 0 before): the clock is a system call where there is no vDSO for it, and one a rule adds up. */
static int time_left(int64_t *deadline)
{
	int64_t now;

	if (*deadline == 0)
		return REPLY_TIMEOUT;
	now = now_ms();
	if (*deadline < 0)
		*deadline = now + REPLY_TIMEOUT;
	return *deadline > now ? (int)(*deadline - now) : 0;
}

/* Sends a request without payload and hands every reply to the handler. The acknowledgement may
 * come before or after the reply (kernel/audit.c answers from a thread of its own), so that both
 * are waited for. */
static int kernel_ask(struct kernel *kernel, uint16_t type, reply_handler handler, void *context)
{
	struct nlmsghdr request = {
		.nlmsg_len = NLMSG_LENGTH(0),
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		.nlmsg_seq = ++kernel->sequence,
	};
	int64_t deadline = 0;
	_cleanup_free_ char *buffer = malloc(KERNEL_MESSAGE_MAX);
	bool acked = false, more = true;
	ssize_t n;

	if (!buffer)
		return -ENOMEM;
	n = kernel->io.send(kernel->io.context, &request, request.nlmsg_len);
	if (n < 0)
		return (int)n;
	while (!acked || more) {
		int left = time_left(&deadline);
		uint32_t sender = 0;
		int r;

		if (left == 0)
			return -ETIMEDOUT;
		n = kernel->io.receive(kernel->io.context, buffer, KERNEL_MESSAGE_MAX, &sender, left);
		if (n == -EINTR || n == -EAGAIN || (n >= 0 && sender != 0)) {
			deadline = deadline == 0 ? -1 : deadline;
			continue;
		}
		if (n < 0)
			return (int)n;
		if (n > KERNEL_MESSAGE_MAX)
			return -EPROTO;
		r = take_datagram(kernel, buffer, (size_t)n, &acked, handler, context, &more);
		if (r < 0)
			return r;
		/* A long list is slow, not stuck. */
		deadline = 0;
	}
	return 0;
}

/* The step of the coarse clocks is a jiffy (posix_get_coarse_res() in kernel/time/posix-timers.c). What backlog_wait_time has tells
 * nothing: distributions' audit.rules set it to 60000, whatever HZ is. */
static uint32_t jiffies_a_second(void)
{
	enum { LEAST = 100 };
	struct timespec step;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &step) < 0 || step.tv_sec > 0 || step.tv_nsec <= 0)
		return LEAST;
	return (uint32_t)((1000000000 + step.tv_nsec / 2) / step.tv_nsec);
}

static int take_status(void *context, uint16_t type, const void *payload, size_t size, bool *more)
{
	struct kernel_status *ret = context;
	struct audit_status status = {0};

	if (type != AUDIT_GET)
		return 0;
	/* The struct grew with the kernel: up to the backlog it is as old as netlink itself. */
	if (size < offsetof(struct audit_status, feature_bitmap))
		return -EPROTO;
	memcpy(&status, payload, size < sizeof(status) ? size : sizeof(status));
	*ret = (struct kernel_status){
		.enabled = status.enabled, .failure = status.failure, .pid = status.pid,
		.rate_limit = status.rate_limit, .backlog_limit = status.backlog_limit,
		.lost = status.lost, .backlog = status.backlog,
		.feature_bitmap = status.feature_bitmap,
		.backlog_wait_time = status.backlog_wait_time,
		.hz = jiffies_a_second(),
	};
	*more = false;
	return 0;
}

int kernel_get_status(struct kernel *kernel, struct kernel_status *ret)
{
	struct kernel_status status;
	int r = kernel_ask(kernel, AUDIT_GET, take_status, &status);

	if (r == 0)
		*ret = status;
	return r;
}

static int take_features(void *context, uint16_t type, const void *payload, size_t size, bool *more)
{
	struct audit_features features;

	if (type != AUDIT_GET_FEATURE)
		return 0;
	if (size < sizeof(features))
		return -EPROTO;
	memcpy(&features, payload, sizeof(features));
	*(bool *)context = features.features & AUDIT_FEATURE_TO_MASK(AUDIT_FEATURE_LOGINUID_IMMUTABLE);
	*more = false;
	return 0;
}

int kernel_get_loginuid_immutable(struct kernel *kernel, bool *ret)
{
	bool immutable;
	int r = kernel_ask(kernel, AUDIT_GET_FEATURE, take_features, &immutable);

	if (r == 0)
		*ret = immutable;
	return r;
}

static int take_rule(void *context, uint16_t type, const void *payload, size_t size, bool *more)
{
	struct kernel_rules *list = context;
	struct kernel_rule *rules;
	struct audit_rule_data head;

	if (type == NLMSG_DONE) {
		*more = false;
		return 0;
	}
	if (type != AUDIT_LIST_RULES)
		return 0;
	if (size < sizeof(head))
		return -EPROTO;
	memcpy(&head, payload, sizeof(head));
	if (head.buflen > size - sizeof(head))
		return -EPROTO;
	rules = realloc(list->rules, (list->n + 1) * sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	list->rules = rules;
	size = sizeof(head) + head.buflen;
	rules[list->n].data = malloc(size);
	if (!rules[list->n].data)
		return -ENOMEM;
	memcpy(rules[list->n].data, payload, size);
	rules[list->n++].size = size;
	return 0;
}

/* Takes away what is left of a listing: until its queue is empty, a socket that overflowed gets nothing
 * new (net/netlink/af_netlink.c netlink_rcv_wake()). */
static void drain(struct kernel *kernel)
{
	int64_t deadline = now_ms() + REPLY_TIMEOUT;
	_cleanup_free_ char *buffer = malloc(KERNEL_MESSAGE_MAX);
	uint32_t sender;

	while (buffer && now_ms() < deadline)
		if (kernel->io.receive(kernel->io.context, buffer, KERNEL_MESSAGE_MAX, &sender, QUIET) == -ETIMEDOUT)
			break;
}

int kernel_list_rules(struct kernel *kernel, struct kernel_rules *ret)
{
	struct kernel_rules list = {0};
	int r = -ENOBUFS;

	for (int i = 0; r == -ENOBUFS && i < LISTINGS; i++) {
		kernel_rules_done(&list);
		r = kernel_ask(kernel, AUDIT_LIST_RULES, take_rule, &list);
		if (r == -ENOBUFS)
			drain(kernel);
	}
	if (r < 0) {
		kernel_rules_done(&list);
		return r;
	}
	*ret = list;
	return 0;
}

void kernel_rules_done(struct kernel_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		free(rules->rules[i].data);
	free(rules->rules);
	*rules = (struct kernel_rules){0};
}
