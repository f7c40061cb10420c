/* setup/node/recording.c: AppArmor's parameter and the IMA policy of a host made of files. */
#include "t/unit/test.h"

#include "setup/node/recording.h"

static struct host host;
static struct config config;
static struct capture said;

static const char *const directories[] = {
	"root", "root/etc", "root/etc/ima", "root/run", ("root" HOST_STATE), "root/sys", "root/sys/module",
	"root/sys/module/apparmor", "root/sys/module/apparmor/parameters", "root/sys/kernel",
	"root/sys/kernel/security", "root/sys/kernel/security/ima",
};

/* A host with AppArmor and an IMA that takes a policy. */
static int begin(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (mkdir(test_path(directories[i]), 0755) < 0)
			return -1;
	test_file("root" APPARMOR_AUDIT, "normal");
	test_file("root" IMA_POLICY, "");
	test_file("root/sys/kernel/security/lsm", "apparmor");
	capture_begin(&said);
	return config_init(&config) < 0 ? -1 : host_open_root(&host, test_path("root"));
}

static int end(void **state)
{
	nftw(test_path("root"), test_delete, 16, FTW_DEPTH | FTW_PHYS);
	config_done(&config);
	capture_end(&said);
	host_done(&host);
	return 0;
}

static void set(const char *setting)
{
	assert_int_equal(config_override(&config, setting, said.log), 0);
}

static void in_force(bool apparmor, bool ima, bool needs_boot)
{
	_cleanup_(recording_done) struct recording recording;
	struct host_recording want;

	recording_read(&recording, &host);
	recording_wanted(&config, &want);
	assert_int_equal(recording_apparmor_ok(&recording, &want), apparmor);
	assert_int_equal(recording_ima_ok(&recording, &want), ima);
	assert_int_equal(recording_ima_needs_boot(&recording, &want), needs_boot);
}

static void check_says(int r, const char *what)
{
	_cleanup_(recording_done) struct recording recording;

	recording_read(&recording, &host);
	assert_int_equal(recording_check(&recording, &config, &host, said.log), r);
	if (!strstr(capture_text(&said), what))
		fail_msg("no '%s' in: %s", what, capture_text(&said));
}

static void nothing(void **state)
{
	struct host_recording want;

	assert_int_equal(recording_wanted(&config, &want), 0);
	in_force(true, true, false);
	check_says(0, "");
	assert_string_equal(capture_text(&said), "");
}

static void apparmor(void **state)
{
	set("apparmor.audit=all");
	in_force(false, true, false);
	test_file("root" APPARMOR_AUDIT, "all\n");
	in_force(true, true, false);
	check_says(0, "");
	unlink(test_path("root" APPARMOR_AUDIT));
	check_says(-ENOTSUP, "error: --set apparmor.audit=all: [apparmor] audit = all: this host has no AppArmor");
}

static void ima(void **state)
{
	set("ima.policy=exec");
	in_force(true, false, false);
	test_file("root" HOST_STATE_IMA, "audit func=BPRM_CHECK mask=MAY_EXEC\n");
	unlink(test_path("root" IMA_POLICY));
	in_force(true, true, false);
	set("ima.policy=exec,mmap");
	in_force(true, false, true);
	check_says(0, "");
	unlink(test_path("root" HOST_STATE_IMA));
	in_force(true, false, true);
}

static void no_ima(void **state)
{
	set("ima.policy=exec");
	unlink(test_path("root" IMA_POLICY));
	rmdir(test_path("root/sys/kernel/security/ima"));
	check_says(-ENOTSUP, "error: --set ima.policy=exec: [ima] policy = exec: this host's kernel has no IMA");
}

static void own_ima(void **state)
{
	set("ima.policy=exec");
	test_file("root/etc/ima/ima-policy", "measure\n");
	check_says(-ENOTSUP, "would replace an IMA policy of the host's own: /etc/ima/ima-policy is loaded at boot");
}

static void unseen(void **state)
{
	set("ima.policy=exec");
	set("apparmor.audit=all");
	nftw(test_path("root/sys"), test_delete, 16, FTW_DEPTH | FTW_PHYS);
	check_says(0, "");
	in_force(true, true, false);
}

#define HOST(sentence, function) { sentence, function, begin, end, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOST("nothing asked for is always in force", nothing),
		HOST("AppArmor's parameter is compared, and a host without one is refused", apparmor),
		HOST("an IMA policy is compared with what was loaded since boot; another waits for a boot", ima),
		HOST("a kernel without IMA is refused", no_ima),
		HOST("a host with an IMA policy of its own is refused", own_ima),
		HOST("a /sys that cannot be seen is no reason to refuse", unseen),
	};

	return RUN(tests);
}
