/* A plugin of qemu's (-plugin FILE,to=OUT) that counts the instructions that a machine runs, its kernel's and all. Where the
 * machine runs "nopl N(%rax)" with one of the numbers in `marks`, a line goes into OUT: the mark's letter and the count so far.
 *
 * A block is counted when it is entered, so that one that faults in its middle is counted again from there. Two processors that
 * add at the same time would lose some: who counts leaves the machine one. What is declared here is of version 1 of the interface
 * (qemu 4.2 to 8.1); a qemu that has another refuses the file. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct info;

#define EXPORT __attribute__((visibility("default")))

enum { ADD_U64 = 0, NO_REGISTERS = 0 };

EXPORT int qemu_plugin_version = 1;

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*cb)(plugin_id id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *ptr, uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, void (*cb)(unsigned cpu, void *userdata), int flags,
					    void *userdata);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
EXPORT int qemu_plugin_install(plugin_id id, const struct info *info, int argc, char **argv);

static const struct mark {
	unsigned char bytes[7];
	const char *letter;
} marks[] = {
	{ { 0x0f, 0x1f, 0x80, 'R', 'S', 'A', 'C' }, "R" },	/* a run of starts begins */
	{ { 0x0f, 0x1f, 0x80, 'B', 'S', 'A', 'C' }, "B" },	/* a start begins */
	{ { 0x0f, 0x1f, 0x80, 'E', 'S', 'A', 'C' }, "E" },	/* it has ended */
};

static uint64_t count;
static FILE *out;

static void note(unsigned cpu, void *letter)
{
	(void)cpu;
	fprintf(out, "%s %llu\n", (const char *)letter, (unsigned long long)count);
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, ADD_U64, &count, n);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		for (size_t k = 0; k < sizeof(marks) / sizeof(*marks); k++)
			if (qemu_plugin_insn_size(insn) == sizeof(marks[k].bytes) &&
			    memcmp(qemu_plugin_insn_data(insn), marks[k].bytes, sizeof(marks[k].bytes)) == 0)
				qemu_plugin_register_vcpu_insn_exec_cb(insn, note, NO_REGISTERS, (void *)(uintptr_t)marks[k].letter);
	}
}

EXPORT int qemu_plugin_install(plugin_id id, const struct info *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], "to=", 3) == 0)
			out = fopen(argv[i] + 3, "we");
	if (!out)
		return -1;
	setvbuf(out, NULL, _IOLBF, 0);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
