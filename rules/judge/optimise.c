/* Narrower masks and fewer rules, so that a system call that no rule asks for costs less.
 *
 * The kernel (kernel/auditsc.c, Linux 4.0 to 6.18; names of 6.1) decides an event in
 * audit_filter_syscall(), which goes through the list exit, and audit_filter_inodes(), which goes
 * for every file of the event through a bucket of rules with path= or inode=, hashed by inode. A
 * rule with dir= or exe= is in the list and costs something at every system call whose number its
 * mask has. Both call __audit_filter_op(): the first rule decides whose mask has the number
 * ctx->major (audit_in_mask()) and whose fields match (audit_filter_rules()); its action and key are
 * the event's. A rule from a bucket wins over one from the list when it was added before it
 * (rule->prio). What is done here changes no decision:
 *
 * 1. Narrowing. A rule with perm=LETTERS and an all-ones mask is given the numbers for which
 *    audit_match_perm() can be true. That function, too, asks for ctx->major (and ctx->arch), never
 *    for anything else: where audit_in_mask() now says no, the field perm said no before. The mask is
 *    looked at nowhere else when an event is decided: not by the lists task, user, exclude and
 *    filesystem, which are left alone; audit_filter_uring() compares it with the number of an
 *    io_uring operation, but goes through the list io_uring only, which is left alone, and the
 *    buckets are searched by ctx->major for io_uring, too. A number with bit 30 (x32) or from 2048 on
 *    is in no mask, not even in one of all ones. A rule without arch= meets both architectures and
 *    gets the numbers of both. One more use of the mask is when a rule is added: see "kill" in
 *    rules/match/perm.c. Which numbers these are, and what holds for kernels that are not written yet, is
 *    said there. The class bits 2032 to 2047 are not set, so that the kernel lists the mask as it was
 *    sent.
 *
 * 2. Merging (merge.c). C goes into an earlier rule A whose list, action, fields, values and key are the same
 *    bytes: A takes the system calls of both. This moves C up to the place of A. Let e be an event.
 *    If C does not match e, the rules that match e are the same ones in the same order. If C matches
 *    e, so that its mask has the number and its arch= is the event's: a rule B between A and C that
 *    has that number in its mask and an arch= that is the same or none has C's action and key, and is
 *    in a bucket if C is, in the list if C is (this is what is checked), so that whichever of B and C
 *    decides, the result is C's; and among all other rules that match e, C is in the same place. (If A
 *    matches e as well it decided before, with the same result.) So it is with the order in a bucket,
 *    even though the kernel turns round the order of all rules on one file when that file is replaced
 *    (kernel/audit_watch.c audit_update_watch()). And so it is with prio, of which only the order
 *    counts: by it a rule of the list that matches keeps those of a bucket from deciding that were
 *    added after it, and in one that was turned round they stand before those that were added earlier;
 *    so neither of the two passes the other where both may match. One merge is made after the other,
 *    each on what the one before left, so that this holds for all. No rule becomes what another is
 *    that stands elsewhere: the kernel would refuse it (EEXIST).
 *
 * 3. Dropping. A rule in the list (not in a bucket, where order can turn round) never decides when
 *    earlier rules with the same fields have every system call of it. Where narrowing has made two
 *    equal, in a bucket as well, one has to go.
 *
 * 4. Uniting. A and C have the same list, action, mask, fields, values and key, but for what they ask
 *    of one of exit, a0 to a3, saddr_fam and msgtype. An event has one number of each, or none
 *    (saddr_fam, exit), with which no condition on it is true; audit_comparator() compares it as 32
 *    bits without sign. The conditions of a rule are ANDed, in whatever order they stand, and leave a
 *    set of numbers; A is given conditions for the numbers of both (numbers.c). A then matches what A
 *    or C matched, and C has moved up as in 2. In the list exclude any rule that matches drops the
 *    record (kernel/audit.c audit_filter()), so that there the order counts for nothing.
 *
 * "Order" is the order in which the kernel goes through the rules: prepended ones stand last first.
 *
 * What is not done: a rule at the head of the list that never records the calls which no rule asks for
 * would end the walk at once. But what the kernel or a security module writes down during such a call
 * has the SYSCALL record with it only where no such rule matches (auditsc_get_stamp() asks for it,
 * the rule takes that back), and rules that others add later would come behind it. There is no call
 * without such records: common_lsm_audit() asks for the context of the task that a softirq interrupts.
 * Nor do two rules for the two architectures become one without arch= and with a perm= that tells their
 * calls apart (execve by x): what is in a class on a kernel to come is not known, and what it leaves out would be lost.
 *
 * What does differ: the CONFIG_CHANGE records of loading and removing the rules themselves are as
 * many as there are rules. */
#include "rules/judge/optimise.h"

#include <string.h>

#include "rules/judge/merge.h"
#include "rules/match/perm.h"
#include "rules/rule/data.h"
#include "rules/rule/names.h"

enum { ARCHES = 2 };	/* that a kernel has: its own and its 32-bit one */

struct narrower {
	uint32_t arches[ARCHES];
	struct perm_masks perms[ARCHES];
};

/* Whether the architecture's system calls are among those that the rule may meet. */
static bool meets(const struct audit_rule_data *data, uint32_t arch)
{
	uint32_t only;

	return !data_find_equal(data, AUDIT_ARCH, &only) || only == arch;
}

static void narrow(const struct narrower *narrower, struct rule *rule)
{
	enum { EVERY_PERM = AUDIT_PERM_READ | AUDIT_PERM_WRITE | AUDIT_PERM_EXEC | AUDIT_PERM_ATTR };
	struct audit_rule_data *data = rule->data;
	uint32_t before[AUDIT_BITMASK_SIZE], perms;

	if (data_list(data) != AUDIT_FILTER_EXIT || !data_mask_all(data) ||
	    !data_find_equal(data, AUDIT_PERM, &perms) || !perms || perms & ~(uint32_t)EVERY_PERM)
		return;
	memcpy(before, data->mask, sizeof(before));
	memset(data->mask, 0, sizeof(data->mask));
	for (size_t i = 0; i < ARCHES; i++)
		if (meets(data, narrower->arches[i]))
			perm_masks_add(&narrower->perms[i], perms, data->mask);
	/* Of an architecture that is not this machine's nothing is known. */
	if (data_mask_empty(data) || !rule_fits(rule))
		memcpy(data->mask, before, sizeof(before));
}

static void narrow_set(struct rule_set *set, const uint32_t *arches)
{
	struct narrower narrower;

	for (size_t i = 0; i < ARCHES; i++) {
		narrower.arches[i] = arches[i];
		if (!perm_masks_init(&narrower.perms[i], arches[i]))
			return;
	}
	for (size_t i = 0; i < set->n_rules; i++)
		narrow(&narrower, &set->rules[i]);
}

int optimise_set(struct rule_set *set, const struct rules_env *env)
{
	uint32_t machine = names_machine(env->machine);
	const uint32_t arches[ARCHES] = { machine, names_arch32(machine) };

	narrow_set(set, arches);
	return merge_set(set, env);
}
