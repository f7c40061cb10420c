/* libFuzzer target for the netlink client: what its socket gives, datagram by datagram. The first byte
 * chooses the request; then, for each datagram, a byte (what receive() does, whether the first header's
 * length and sequence number are right), its size, its bytes. Rules that are taken are as long as
 * they say; nothing is given out with an error. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>

#include "setup/kernel/kernel.h"
#include "t/fuzz/fuzz.h"

struct script {
	struct bytes input;
	uint32_t sequence;
};

static ssize_t script_send(void *context, const void *message, size_t size)
{
	struct script *s = context;
	struct nlmsghdr header;

	if (size != sizeof(header))
		FAIL("a request of %zu bytes", size);
	memcpy(&header, message, sizeof(header));
	if (header.nlmsg_type != AUDIT_GET && header.nlmsg_type != AUDIT_GET_FEATURE &&
	    header.nlmsg_type != AUDIT_LIST_RULES)
		FAIL("a request of type %u: it changes something", header.nlmsg_type);
	s->sequence = header.nlmsg_seq;
	return (ssize_t)size;
}

/* Gives the messages of a datagram the lengths and numbers that bring them further. */
static void mend(uint8_t *datagram, size_t n, uint32_t sequence)
{
	while (n >= NLMSG_HDRLEN) {
		struct nlmsghdr header;
		size_t step;

		memcpy(&header, datagram, sizeof(header));
		header.nlmsg_len = NLMSG_HDRLEN + header.nlmsg_len % 2048;
		if (header.nlmsg_len > n)
			header.nlmsg_len = (uint32_t)n;
		header.nlmsg_seq = sequence;
		memcpy(datagram, &header, sizeof(header));
		step = NLMSG_ALIGN((size_t)header.nlmsg_len);
		if (step >= n)
			break;
		datagram += step;
		n -= step;
	}
}

static ssize_t script_receive(void *context, void *buffer, size_t size, uint32_t *ret_sender, int timeout)
{
	static const int errors[] = { -EINTR, -EAGAIN, -ENOBUFS, -ETIMEDOUT, -EIO, -EPROTO };
	struct script *s = context;
	unsigned how, n;

	if (s->input.left == 0)
		return -ETIMEDOUT;
	how = take_byte(&s->input);
	if (how >= 0xf0)
		return errors[how % ARRAY_SIZE(errors)];
	n = take_byte(&s->input);
	n |= (unsigned)take_byte(&s->input) << 8;
	/* MSG_TRUNC: longer than the buffer, all the same */
	if (how >= 0xe0 && how < 0xe4)
		return (ssize_t)size + (ssize_t)n;
	if (n > s->input.left)
		n = (unsigned)s->input.left;
	if (n > size)
		n = (unsigned)size;
	/* From the heap, so that one byte behind the datagram is noticed. */
	memcpy(buffer, s->input.at, n);
	s->input.at += n;
	s->input.left -= n;
	if (how & 1)
		mend(buffer, n, s->sequence);
	*ret_sender = how & 2 && how & 4 ? 4711 : 0;
	return (ssize_t)n;
}

static void script_close(void *context)
{
}

static void ask_rules(struct kernel *kernel)
{
	struct kernel_rules rules = { 0 };
	int r = kernel_list_rules(kernel, &rules);

	if (r < 0 && (rules.n || rules.rules))
		FAIL("rules with the error %d", r);
	for (size_t i = 0; i < rules.n; i++)
		if (rules.rules[i].size != sizeof(struct audit_rule_data) + rules.rules[i].data->buflen)
			FAIL("a rule of %zu bytes", rules.rules[i].size);
	kernel_rules_done(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct script script = { .input = { bytes, size } };
	struct kernel_io io = { script_send, script_receive, script_close, &script };
	unsigned what = take_byte(&script.input);
	struct kernel_status status = { .enabled = 77 };
	struct kernel *kernel;
	bool immutable;
	int r;

	if (kernel_open_io(&kernel, &io) < 0)
		abort();
	if (what & 1) {
		r = kernel_get_status(kernel, &status);
		if (r > 0 || (r < 0 && status.enabled != 77))
			FAIL("a status with the error %d", r);
	}
	if (what & 2)
		(void)!kernel_get_loginuid_immutable(kernel, &immutable);
	if (what & 4 || !(what & 3))
		ask_rules(kernel);
	kernel_close(kernel);
	return 0;
}
