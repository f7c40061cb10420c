#include "setup/journal/shippers.h"

#include <inttypes.h>
#include <string.h>

#include "setup/base/mem.h"

/* k8s/base/fluentd/source.conf and k8s/components/fluent-bit/fluent-bit.yaml. */
const struct shipper_row shipper_rows[N_SHIPPERS] = {
	{ "fluentd", "/var/lib/cloud-audit-logging/fluentd/cursor.json" },
	{ "fluent-bit", "/var/lib/cloud-audit-logging/fluent-bit/cursor.db" },
};

/* The latest time of a cursor (sd_journal_get_cursor(3): "s=...;i=...;b=...;m=...;t=TIME;x=...") that stands somewhere in the
 * file: as JSON's string, or in a row of a database, where an earlier one may be left. */
static uint64_t find_time(const struct text *content)
{
	const char *at = content->s, *end = content->s + content->len;
	uint64_t latest = 0;

	while (at && (at = memmem(at, (size_t)(end - at), ";t=", 3))) {
		char digits[17] = "";
		uint64_t time;

		at += 3;
		snprintf(digits, sizeof(digits), "%.*s", (int)(end - at < 16 ? end - at : 16), at);
		digits[strspn(digits, "0123456789abcdef")] = '\0';
		if (sscanf(digits, "%" SCNx64, &time) == 1 && time > latest)
			latest = time;
	}
	return latest;
}

void shippers_read(uint64_t ret[N_SHIPPERS], const struct host *host)
{
	for (size_t i = 0; i < N_SHIPPERS; i++) {
		_cleanup_text_ struct text content = {0}, log = {0};
		char path[128];
		uint64_t time;

		ret[i] = host_read(host, shipper_rows[i].path, &content) == 0 && content.s ? find_time(&content) : 0;
		/* What SQLite has not yet put into the database itself. */
		snprintf(path, sizeof(path), "%s-wal", shipper_rows[i].path);
		time = host_read(host, path, &log) == 0 && log.s ? find_time(&log) : 0;
		ret[i] = time > ret[i] ? time : ret[i];
	}
}
