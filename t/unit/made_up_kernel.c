/* The program, with a made-up kernel in the place of this machine's: the file "kernel" beside it, which has rules and
 * settings in auditctl's words, one a line (t/unit/Auditctl.pm). The seam is setup/kernel/kernel.h's. */
#include "setup/main.c"

#include <linux/audit.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <unistd.h>

#include "setup/host/own.h"
#include "setup/kernel/kernel.h"
#include "setup/kernel/rulesdiff.h"
#include "setup/node/wanted.h"

struct made_up {
	struct rule_set rules;
	size_t *order;	/* in which they are listed */
	struct audit_status status;
	struct audit_features features;
	struct nlmsghdr request;
	size_t said;	/* messages of the answer that are out */
};

static const struct {
	const char *option;
	size_t member;
} settings[] = {
	{ "-e ", offsetof(struct audit_status, enabled) }, { "-b ", offsetof(struct audit_status, backlog_limit) },
	{ "-f ", offsetof(struct audit_status, failure) }, { "-r ", offsetof(struct audit_status, rate_limit) },
	{ "--backlog_wait_time ", offsetof(struct audit_status, backlog_wait_time) },
	/* The audit PID, which auditctl does not set. */
	{ "# pid ", offsetof(struct audit_status, pid) },
};

static void read_settings(struct made_up *kernel, const char *content)
{
	kernel->status.feature_bitmap = 0x7f;
	for (const char *line = content; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
			if (strncmp(line, settings[i].option, strlen(settings[i].option)) == 0)
				*(uint32_t *)(void *)((char *)&kernel->status + settings[i].member) =
					(uint32_t)strtoul(line + strlen(settings[i].option), NULL, 10);
		if (strncmp(line, "--loginuid-immutable", 20) == 0)
			kernel->features.features = AUDIT_FEATURE_TO_MASK(AUDIT_FEATURE_LOGINUID_IMMUTABLE);
	}
}

/* Anew at each question: what systemd ran has changed it. */
static void read_kernel(struct made_up *kernel)
{
	_cleanup_text_ struct text content = {0};
	struct host here;
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 16);
	bool replaced;

	if (n < 0)
		abort();
	path[n] = '\0';
	memcpy(strrchr(path, '/'), "/kernel", sizeof("/kernel"));
	rule_set_done(&kernel->rules);
	kernel->status = (struct audit_status){0};
	if (host_open_root(&here, "/") < 0 || host_read_own(path, &content) < 0 ||
	    wanted_earlier_rules(&here, content.s, &kernel->rules, &replaced) < 0)
		abort();
	free(kernel->order);
	kernel->order = calloc(kernel->rules.n_rules + 1, sizeof(*kernel->order));
	if (!kernel->order)
		abort();
	rulesdiff_listing_order(&kernel->rules, kernel->order);
	read_settings(kernel, content.s);
	host_done(&here);
}

static ssize_t made_up_send(void *context, const void *message, size_t size)
{
	struct made_up *kernel = context;

	memcpy(&kernel->request, message, sizeof(kernel->request));
	kernel->said = 0;
	read_kernel(kernel);
	return (ssize_t)size;
}

/* Each answer is a message or, of a listing, several, and an acknowledgement before them. */
static ssize_t made_up_receive(void *context, void *buffer, size_t size, uint32_t *ret_sender, int timeout)
{
	struct made_up *kernel = context;
	struct nlmsghdr header = { .nlmsg_type = kernel->request.nlmsg_type, .nlmsg_seq = kernel->request.nlmsg_seq };
	const struct nlmsgerr ack = { .error = 0, .msg = kernel->request };
	const void *payload = &ack;
	size_t length = sizeof(ack), i = kernel->said++;

	if (i == 0) {
		header.nlmsg_type = NLMSG_ERROR;
	} else if (header.nlmsg_type == AUDIT_GET) {
		payload = &kernel->status;
		length = sizeof(kernel->status);
	} else if (header.nlmsg_type == AUDIT_GET_FEATURE) {
		payload = &kernel->features;
		length = sizeof(kernel->features);
	} else if (i <= kernel->rules.n_rules) {
		payload = kernel->rules.rules[kernel->order[i - 1]].data;
		length = kernel->rules.rules[kernel->order[i - 1]].size;
	} else {
		header.nlmsg_type = NLMSG_DONE;
		length = 0;
	}
	header.nlmsg_len = (uint32_t)NLMSG_LENGTH(length);
	if (header.nlmsg_len > size)
		abort();
	memcpy(buffer, &header, sizeof(header));
	memcpy((char *)buffer + NLMSG_HDRLEN, payload, length);
	*ret_sender = 0;
	return (ssize_t)header.nlmsg_len;
}

static void made_up_close(void *context)
{
	struct made_up *kernel = context;

	rule_set_done(&kernel->rules);
	free(kernel->order);
	free(kernel);
}

/* In the place of setup/kernel/kernel_socket.c's, which the linker then leaves out. */
int kernel_open(struct kernel **ret)
{
	struct made_up *kernel = calloc(1, sizeof(*kernel));
	const struct kernel_io io = { made_up_send, made_up_receive, made_up_close, kernel };

	if (!kernel)
		return -ENOMEM;
	return kernel_open_io(ret, &io);
}
