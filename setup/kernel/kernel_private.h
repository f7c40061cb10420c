/* The kernel's wire format: the only includer of <linux/netlink.h> (netlink(7)). */
#ifndef SETUP_KERNEL_PRIVATE_H
#define SETUP_KERNEL_PRIVATE_H

#include <linux/audit.h>
#include <linux/netlink.h>

#include "setup/kernel/kernel.h"

#endif
