/* Hashes to numbers, for looking through ten thousand rules once instead of squared. */
#ifndef RULES_MAP_H
#define RULES_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "setup/base/mem.h"

struct map {
	uint64_t *keys;
	uint32_t *values;	/* plus one; 0: free */
	size_t size;
};

#define _cleanup_map_ _cleanup_(map_done)
/* Frees what the map owns; one that is all zero is fine. */
void map_done(struct map *map);

/* Room for n keys. Returns 0, or -ENOMEM. */
int map_init(struct map *map, size_t n) _must_check_;
/* True, and the key's value in *ret, when it has one. */
bool map_find(const struct map *map, uint64_t key, uint32_t *ret);
/* Sets the key's value, which replaces an earlier one; no more than n keys in all. */
void map_put(struct map *map, uint64_t key, uint32_t value);

/* A hash of n bytes in the manner of FNV-1a, going on from an earlier one. */
#define MAP_HASH_START 0xcbf29ce484222325ULL
uint64_t map_hash(uint64_t hash, const void *bytes, size_t n);

#endif
