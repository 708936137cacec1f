/* replay: feeds every file of the directories (or files) on the command line to a fuzz target,
 * without libFuzzer, so that any compiler and any build runs the corpus as a test.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void die(const char *what, const char *path)
{
	fprintf(stderr, "replay: %s %s: %s\n", what, path, strerror(errno));
	exit(1);
}

/* The input lies in a block of exactly its size, so that a sanitizer sees byte n. */
static void replay_file(const char *path, size_t size)
{
	uint8_t *data = malloc(size ? size : 1);
	FILE *f = fopen(path, "rb");

	if (!f || !data || fread(data, 1, size, f) != size)
		die("cannot read", path);
	fclose(f);
	if (LLVMFuzzerTestOneInput(data, size) != 0)
		die("target refused", path);
	free(data);
}

static unsigned replay(const char *path);

static unsigned replay_directory(const char *path)
{
	DIR *dir = opendir(path);
	unsigned count = 0;

	if (!dir)
		die("cannot open", path);
	for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		char inner[4096];

		if (e->d_name[0] == '.')
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name);
		count += replay(inner);
	}
	closedir(dir);
	return count;
}

static unsigned replay(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		die("cannot find", path);
	if (S_ISDIR(st.st_mode))
		return replay_directory(path);
	replay_file(path, (size_t)st.st_size);
	return 1;
}

int main(int argc, char **argv)
{
	unsigned count = 0;

	for (int i = 1; i < argc; i++)
		count += replay(argv[i]);
	printf("%u inputs replayed\n", count);
	return count > 0 ? 0 : 1;
}
