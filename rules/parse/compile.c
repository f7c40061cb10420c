#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/parse/draft.h"

int draft_compile(const struct draft *draft, struct audit_rule_data **ret, size_t *ret_size)
{
	size_t size = sizeof(struct audit_rule_data) + draft->strings.len;
	struct audit_rule_data *data;

	if (text_error(&draft->strings) < 0)
		return -ENOMEM;
	data = calloc(1, size);
	if (!data)
		return -ENOMEM;
	data->flags = draft->list | (draft->prepend ? AUDIT_FILTER_PREPEND : 0);
	data->action = draft->action;
	data->field_count = draft->n_fields;
	memcpy(data->mask, draft->mask, sizeof(data->mask));
	/* auditctl.c handle_request(): every system call where none is named, but not for new tasks. */
	if (!draft->syscalls && draft->list != AUDIT_FILTER_TASK)
		memset(data->mask, 0xff, sizeof(data->mask));
	memcpy(data->fields, draft->fields, draft->n_fields * sizeof(uint32_t));
	memcpy(data->values, draft->values, draft->n_fields * sizeof(uint32_t));
	memcpy(data->fieldflags, draft->operators, draft->n_fields * sizeof(uint32_t));
	data->buflen = (uint32_t)draft->strings.len;
	if (draft->strings.len)
		memcpy(data->buf, draft->strings.s, draft->strings.len);
	*ret = data;
	*ret_size = size;
	return 0;
}
