/* The unit of [unit] mode = transient: it exists in systemd's memory only, and has the rules in it. */
#ifndef UNITS_TRANSIENT_H
#define UNITS_TRANSIENT_H

#include <stddef.h>
#include <stdint.h>

#include "setup/base/text.h"

/* Not SETUP_UNIT: a name that has a file on the host (COS ships one) cannot be transient. */
#define TRANSIENT_UNIT "cloud-audit-rules.service"

/* A property as StartTransientUnit takes it, and as a unit file has it. */
struct unit_property {
	const char *name;
	char type;		/* as sd_bus_message_append(3): 's', 'b', 't', 'u'; 'a': the words of value, "as" */
	const char *value;	/* in a unit file */
	uint64_t number;	/* for 'b', 't' and 'u' */
};

/* All but ExecStart, StandardInputData and TimeoutStartSec. */
extern const struct unit_property transient_properties[];
extern const size_t n_transient_properties;

/* The shell script that loads what it is given on standard input with the auditctl named by $0. */
extern const char transient_script[];

/* Prints the unit as systemd.unit(5) has it, for people. 0 or negative errno. */
int print_transient_unit(const char *auditctl, uint64_t start_timeout, const struct text *rules,
			 struct text *out) _must_check_;

#endif
