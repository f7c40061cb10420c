#include "rules/match/map.h"

#include <errno.h>
#include <string.h>

#define PRIME 0x100000001b3ULL

void map_done(struct map *map)
{
	free(map->keys);
	free(map->values);
	*map = (struct map){ 0 };
}

int map_init(struct map *map, size_t n)
{
	map->size = 16;
	while (map->size < n * 2)
		map->size *= 2;
	map->keys = calloc(map->size, sizeof(*map->keys));
	map->values = calloc(map->size, sizeof(*map->values));
	return map->keys && map->values ? 0 : -ENOMEM;
}

/* Where the key is, or would be. */
static size_t place(const struct map *map, uint64_t key)
{
	size_t at = (size_t)(key ^ key >> 32) & (map->size - 1);

	while (map->values[at] && map->keys[at] != key)
		at = (at + 1) & (map->size - 1);
	return at;
}

bool map_find(const struct map *map, uint64_t key, uint32_t *ret)
{
	size_t at = place(map, key);

	if (!map->values[at])
		return false;
	*ret = map->values[at] - 1;
	return true;
}

void map_put(struct map *map, uint64_t key, uint32_t value)
{
	size_t at = place(map, key);

	map->keys[at] = key;
	map->values[at] = value + 1;
}

uint64_t map_hash(uint64_t hash, const void *bytes, size_t n)
{
	const unsigned char *p = bytes, *end;
	uint64_t word;

	if (!n)
		return hash;
	end = p + n;
	/* Eight bytes a step, or hashing would be most of the time for a rule's kilobyte. */
	for (; end - p >= 8; p += 8) {
		memcpy(&word, p, sizeof(word));
		hash = (hash ^ word) * PRIME;
		hash ^= hash >> 29;
	}
	while (p < end)
		hash = (hash ^ *p++) * PRIME;
	return hash;
}
