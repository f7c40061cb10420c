/* Login uids of containers: with an identity rules that are meant for people see them, without one any process there may give
 * itself a login uid (audit_set_loginuid() in kernel/audit.c asks for no capability while it is unset). */
#include "rules/judge/lint_private.h"

#include "rules/match/classes.h"

/* Is there a condition on the login uid that the user's own rule tells people from others by? */
static bool is_about_people(const struct subject *s)
{
	struct data_field field;
	uint32_t at = 0;
	size_t offset = 0;

	if (s->rule->shipped || data_list(s->data) != AUDIT_FILTER_EXIT)
		return false;
	while (data_next(s->data, &at, &offset, &field))
		if (field.field == AUDIT_LOGINUID && field.operator != AUDIT_EQUAL)
			return true;
	return false;
}

bool check_forgeable(const struct subject *s, struct text *message)
{
	if (!s->context->env->forgeable || !is_about_people(s))
		return false;
	text_add(message, "any process of a container can give itself a login uid, once, and so be taken for a user's, or not, as it "
		 "likes; [container] identity = yes ends that");
	return true;
}

bool check_sees_containers(const struct subject *s, struct text *message)
{
	uint32_t low, high;

	if (!s->context->env->identity || s->data->action != AUDIT_ALWAYS || !is_about_people(s))
		return false;
	ranges_of_loginuid(&s->ranges, &low, &high);
	/* One that takes the unset login uid, too, is not meant for people; one that begins among containers means them. */
	if (high == UINT32_MAX || high < CLASS_WORKLOADS || low >= CLASS_WORKLOADS)
		return false;
	text_addf(message, "with [container] identity containers have login uids, from %u on, and this rule sees them; -F auid<%u "
		  "keeps it to people", CLASS_WORKLOADS, CLASS_WORKLOADS);
	return true;
}
