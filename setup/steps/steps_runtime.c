#include "setup/steps/steps_runtime.h"

#include <errno.h>
#include <string.h>

#include "setup/base/sha256.h"
#include "setup/base/strings.h"
#include "setup/config/config_keys.h"
#include "setup/containers/files.h"
#include "setup/host/atboot.h"
#include "setup/steps/files.h"

static const size_t programs[] = {
	FILE_RUNTIME_PROGRAM, FILE_RUNTIME_RUNC, FILE_RUNTIME_CRUN,
};

static int read_back(struct context *c, size_t i)
{
	const char *path = wanted_path(&c->wanted, i);
	_cleanup_text_ struct text now = {0};
	struct stat st;
	int r;

	if (!c->wanted.files[i].s)
		return 0;
	r = host_read_stat(&c->host, path, &now, &st);
	if (r == 0 && (!text_equal(&now, &c->wanted.files[i]) || (st.st_mode & 07777) != wanted_files[i].mode))
		r = -EBADE;
	if (r < 0)
		log_say(c->log, LEVEL_ERROR, "%s was written, and is not there as it was: %s; an empty program there would keep every "
			"container from starting, so %s was not touched", path, strerror(-r), c->config.runtime_unit);
	return r;
}

int step_prove_runtime(struct context *c, size_t next)
{
	const char *path = c->wanted.runtime_path;	/* NULL: the runtime is left as it is */
	const char *name = !path ? NULL : next == FILE_RUNTIME_RUNC ? "runc" : next == FILE_RUNTIME_CRUN ? "crun" : NULL;
	const char *const argv[] = { wanted_path(&c->wanted, FILE_RUNTIME_PROGRAM), "--check", name, name ? path : NULL, NULL };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(programs) && programs[i] < next; i++)
		r = read_back(c, programs[i]);
	if (r < 0)
		return r;
	log_say(c->log, LEVEL_DEBUG, "systemd runs %s --check %s", argv[0], name ? name : "");
	r = bus_run_transient(c->bus, "Check that the host runs what its container runtime is started with", argv);
	if (r < 0)
		log_conclude(c->log, "the host cannot run %s%s%s, so %s was not touched", argv[0], name ? " as " : "",
			     name ? name : "", c->config.runtime_unit);
	return r;
}

int step_read_path_back(struct context *c)
{
	const char *path;
	int r;

	if (!c->wanted.runtime_path)
		return 0;
	strings_free(TAKE(c->node.runtime.environment));
	r = bus_environment(c->bus, c->config.runtime_unit, &c->node.runtime.environment);
	if (r < 0)
		return r;
	path = runtime_path_in(c->node.runtime.environment);
	if (path && strcmp(path, c->wanted.runtime_path) == 0)
		return 0;
	log_say(c->log, LEVEL_ERROR, "systemd was told PATH=%s for %s, and has %s%s; systemctl cat %s shows what sets it",
		c->wanted.runtime_path, c->config.runtime_unit, path ? "PATH=" : "none", path ? path : "", c->config.runtime_unit);
	return -EBADE;
}

/* What the mark says of a try in this boot, with what is wanted now. */
static int print_mark(const struct context *c, struct text *ret)
{
	char boot[ATBOOT_ID], digest[65];
	struct sha256 sha;

	atboot_id(boot);
	sha256_begin(&sha);
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (c->wanted.files[programs[i]].s)
			sha256_add(&sha, c->wanted.files[programs[i]].s, c->wanted.files[programs[i]].len);
	sha256_add(&sha, c->wanted.files[FILE_RUNTIME].s, c->wanted.files[FILE_RUNTIME].len);
	sha256_end(&sha, digest);
	text_addf(ret, "%s did not start with our drop-in in boot %s.\nIt is not restarted again for the same files in that boot, "
		  "unless this file is deleted.\nSHA-256 of these files: %s\n", c->config.runtime_unit, boot, digest);
	return text_error(ret);
}

int step_leave_runtime(struct context *c)
{
	static const size_t left[] = { FILE_RUNTIME_FAILED, FILE_RUNTIME };
	_cleanup_text_ struct text mark = {0};

	if (!c->config.runtime_restart || !c->wanted.files[FILE_RUNTIME].s || !c->node.files[FILE_RUNTIME_FAILED].s ||
	    print_mark(c, &mark) < 0 || !text_equal(&mark, &c->node.files[FILE_RUNTIME_FAILED]))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
		const struct text *now = &c->node.files[left[i]];
		struct text *wanted = &c->wanted.files[left[i]];

		text_done(wanted);
		if (now->s)
			text_add_bytes(wanted, now->s, now->len);
		if (text_error(wanted) < 0)
			return log_no_memory(c->log);
	}
	free(TAKE(c->wanted.runtime_path));
	c->config.runtime_restart = false;
	return 1;
}

void step_say_left(const struct context *c, const char *rest)
{
	const char *unit = c->config.runtime_unit;

	log_say(c->log, LEVEL_ERROR, "%s did not start with %s, which was taken back, and is not restarted again for the same in this "
		"boot%s; journalctl -u %s on the node says why it did not; then delete %s to try again, or set "
		"[container] restart = no", unit, wanted_path(&c->wanted, FILE_RUNTIME), rest, unit,
		wanted_path(&c->wanted, FILE_RUNTIME_FAILED));
}

/* Before it is restarted without: whatever comes then. Is it there? */
static bool leave_mark(struct context *c)
{
	_cleanup_text_ struct text mark = {0};
	int r = print_mark(c, &mark);

	if (r == 0)
		r = file_write(&c->host, &c->wanted, FILE_RUNTIME_FAILED, &mark, NULL);
	if (r < 0)
		log_say(c->log, LEVEL_WARNING, "%s cannot be written: %s; the next run restarts %s again",
			wanted_path(&c->wanted, FILE_RUNTIME_FAILED), strerror(-r), c->config.runtime_unit);
	return r == 0;
}

/* What a run that ends with the runtime has made of all else. */
static const char *how_else(const struct context *c)
{
	return c->staged ? "done as far as the lock allows" : "as configured";
}

/* The runtime does not start with the drop-in: the node needs one that starts. It has not run with one that was there before either,
 * if that is the same: else it would not have been restarted. */
static void take_back(struct context *c, const struct node *before)
{
	const struct text *old = &before->files[FILE_RUNTIME];
	bool was = old->s && !wanted_same(&c->wanted, FILE_RUNTIME, old);
	int r = was ? file_write(&c->host, &c->wanted, FILE_RUNTIME, old, NULL) : file_delete(&c->host, &c->wanted, FILE_RUNTIME);
	/* Of a drop-in that is still there it would say that it was taken back. */
	bool marked = r == 0 && leave_mark(c);

	if (r == 0)
		r = bus_reload(c->bus);
	if (r == 0)
		r = bus_run_job(c->bus, BUS_RESTART, c->config.runtime_unit);
	if (r == 0)
		log_conclude(c->log, "%s was %s, and %s runs again; all else is %s%s", wanted_path(&c->wanted, FILE_RUNTIME),
			     was || !old->s ? "put back as it was" : "deleted", c->config.runtime_unit, how_else(c),
			     marked ? "; that is not tried again in this boot" : "");
	else
		log_conclude(c->log, "%s does not run: systemctl status %s on the node says why; without %s, and after "
			     "systemctl daemon-reload, it is started as before", c->config.runtime_unit, c->config.runtime_unit,
			     wanted_path(&c->wanted, FILE_RUNTIME));
}

/* It takes longer than it is waited for: what is on its way is not stopped. */
static bool goes_on(const struct unit_state *now, int r)
{
	return r == -ETIMEDOUT && (now->changing || now->active);
}

static void settle_restart(struct context *c, const struct node *before, int r)
{
	const char *unit = c->config.runtime_unit;
	_cleanup_(unit_state_done) struct unit_state now = {0};
	bool asked = r == -EIO || (r == -ETIMEDOUT && bus_unit_state(c->bus, unit, &now) == 0);

	if (goes_on(&now, r))
		log_conclude(c->log, "%s is still on its way up after [unit] start_timeout, and is left to it; all else is %s; "
			     "systemctl status %s on the node says how it ends", unit, how_else(c), unit);
	/* Refused, as while the node shuts down, or lost to sight: nothing tells that it does not start. */
	else if (!asked)
		log_conclude(c->log, "whether %s was restarted is not known; all else is %s; systemctl status %s on the node says how it "
			     "is, and apply, run again, restarts it where it was not", unit, how_else(c), unit);
	else
		take_back(c, before);
}

int step_restart_runtime(struct context *c, const struct node *before)
{
	int r;

	if (!c->config.runtime_restart || !c->wanted.files[FILE_RUNTIME].s || c->node.runtime.in_effect)
		return 0;
	if (c->node.runtime.ahead) {
		log_say(c->log, LEVEL_WARNING, "%s is from later than now: the clock was set back, so whether %s has been started since is "
			"not known, and it is not restarted; restart it by hand", wanted_path(&c->wanted, FILE_RUNTIME),
			c->config.runtime_unit);
		return 0;
	}
	r = bus_subscribe(c->bus);
	if (r < 0)
		return r;
	log_say(c->log, LEVEL_INFO, "all else is done; systemd restarts %s, as [container] restart = yes asks for", c->config.runtime_unit);
	r = bus_run_job(c->bus, BUS_RESTART, c->config.runtime_unit);
	/* systemd had read the drop-in before, so that what it has started runs with it. */
	if (r == 0)
		c->node.runtime.in_effect = true;
	else
		settle_restart(c, before, r);
	return r;
}

void step_say_runtime(struct context *c)
{
	const char *unit = c->config.runtime_unit;
	_cleanup_text_ struct text since = {0};

	if (!c->wanted.files[FILE_RUNTIME].s || c->node.runtime.in_effect)
		return;
	text_add_time(&since, c->node.runtime.started);
	if (c->config.keystrokes)
		log_say(c->log, LEVEL_WARNING, "keystrokes of exec sessions are recorded from the next start of %s "
			"on, in containers that start after it; it is not restarted for that. On the node: "
			"systemctl restart %s (where /etc does not survive a boot, as on COS, waiting for a boot does "
			"not help)", unit, unit);
	if (c->config.identity)
		log_say(c->log, LEVEL_WARNING, "identity is not in effect: %s runs since %s, from before it was set up; Pods that start "
			"after its next start have it. On the node: systemctl restart %s, or [container] restart = yes (where /etc does "
			"not survive a boot, as on COS, nothing else helps); a restart may kill a Pod", unit, since.s ? since.s : "",
			unit);
}
