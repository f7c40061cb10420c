#include "setup/node/recording.h"

#include <errno.h>
#include <string.h>

#include "setup/base/cmdline.h"
#include "setup/config/config_keys.h"

/* By the number of the choice in [ima] policy. COS's own set-up loads the same two. */
static const char *const ima_policies[] = {
	NULL,
	"audit func=BPRM_CHECK mask=MAY_EXEC",
	"audit func=BPRM_CHECK mask=MAY_EXEC\naudit func=FILE_MMAP mask=MAY_EXEC",
};

static bool exists(const struct host *host, const char *path)
{
	bool directory;

	return host_path_type(host, path, &directory) == 1;
}

static enum ima_state find_ima(const struct host *host)
{
	if (exists(host, IMA_POLICY))
		return IMA_OPEN;
	if (exists(host, IMA_DIRECTORY))
		return IMA_LOADED;
	/* securityfs always has this file (security/inode.c). */
	return exists(host, "/sys/kernel/security/lsm") ? IMA_ABSENT : IMA_UNKNOWN;
}

void recording_read(struct recording *ret, const struct host *host)
{
	_cleanup_text_ struct text value = {0};

	*ret = (struct recording){ .sys = exists(host, "/sys/module"), .ima = find_ima(host) };
	if (host_read(host, APPARMOR_AUDIT, &value) == 0)
		snprintf(ret->apparmor, sizeof(ret->apparmor), "%.*s", (int)strcspn(value.s, "\n"), value.s);
	if (host_read(host, HOST_STATE_IMA, &ret->ima_policy) < 0)
		ret->ima_policy = (struct text){0};
}

void recording_done(struct recording *recording)
{
	text_done(&recording->ima_policy);
}

int recording_wanted(const struct config *config, struct host_recording *ret)
{
	const char *apparmor = config_value(config, "apparmor", "audit");

	*ret = (struct host_recording){
		.apparmor = strcmp(apparmor, "keep") == 0 ? NULL : apparmor,
		.ima = ima_policies[config->ima_policy],
	};
	return ret->apparmor || ret->ima;
}

/* A policy that we load takes the place of the one that the kernel was booted with
 * (ima_update_policy() in security/integrity/ima/ima_policy.c). */
static const char *other_ima_policy(const struct host *host)
{
	static const char *const words[] = {
		"ima_policy=", "ima_tcb", "ima_appraise_tcb", "ima_appraise=",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (cmdline_has(words[i]))
			return "the kernel's command line asks for a policy (ima_...)";
	/* systemd loads this one at boot (src/core/ima-setup.c). */
	return exists(host, "/etc/ima/ima-policy") ? "/etc/ima/ima-policy is loaded at boot" : NULL;
}

int recording_check(const struct recording *recording, const struct config *config,
		    const struct host *host, struct log *log)
{
	struct host_recording want;
	const char *other;
	int r = 0;

	recording_wanted(config, &want);
	if (want.apparmor && recording->sys && !*recording->apparmor) {
		log_say(log, LEVEL_ERROR, "%s: [apparmor] audit = %s: this host has no AppArmor (" APPARMOR_AUDIT
			" is not there); leave it at 'keep'; nothing was changed",
			config_source(config, "apparmor", "audit"), want.apparmor);
		r = -ENOTSUP;
	}
	if (want.ima && recording->ima == IMA_ABSENT) {
		log_say(log, LEVEL_ERROR, "%s: [ima] policy = %s: this host's kernel has no IMA (" IMA_DIRECTORY
			" is not there); leave it at 'no'; nothing was changed",
			config_source(config, "ima", "policy"), config_value(config, "ima", "policy"));
		r = -ENOTSUP;
	}
	other = want.ima ? other_ima_policy(host) : NULL;
	if (other) {
		log_say(log, LEVEL_ERROR, "%s: [ima] policy = %s would replace an IMA policy of the host's own: "
			"%s; add its rules there, and leave this at 'no'; nothing was changed",
			config_source(config, "ima", "policy"), config_value(config, "ima", "policy"), other);
		r = -ENOTSUP;
	}
	return r;
}

bool recording_apparmor_ok(const struct recording *recording, const struct host_recording *want)
{
	return !want->apparmor || !*recording->apparmor || strcmp(recording->apparmor, want->apparmor) == 0;
}

static bool is_loaded(const struct recording *recording, const char *policy)
{
	const char *loaded = recording->ima_policy.s;
	size_t n = strlen(policy);

	return loaded && strncmp(loaded, policy, n) == 0 && strcmp(loaded + n, "\n") == 0;
}

bool recording_ima_ok(const struct recording *recording, const struct host_recording *want)
{
	return !want->ima || recording->ima == IMA_UNKNOWN || is_loaded(recording, want->ima);
}

bool recording_ima_needs_boot(const struct recording *recording, const struct host_recording *want)
{
	return !recording_ima_ok(recording, want) &&
		(recording->ima == IMA_LOADED || recording->ima_policy.s);
}
