/* replay.c: stands in for libFuzzer: gives every file of the folders (and files) named to the target once. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static int n_files;

static void replay_file (const char *path)
{
  FILE *file = fopen (path, "rb");
  struct stat info;
  if (!file || fstat (fileno (file), &info) != 0 || !S_ISREG (info.st_mode)) {
    fprintf (stderr, "cannot read %s\n", path);
    exit (1);
  }
  const size_t size = (size_t)info.st_size;
  uint8_t *data = malloc (size ? size : 1); /* of exactly that size, so that a sanitizer sees reads beyond it */
  if (!data || fread (data, 1, size, file) != size) {
    fprintf (stderr, "cannot read %s\n", path);
    exit (1);
  }
  fclose (file);
  LLVMFuzzerTestOneInput (data, size);
  free (data);
  n_files++;
}

int main (int argc, char **argv)
{
  for (int i = 1; i < argc; i++) {
    DIR *folder = opendir (argv[i]);
    if (!folder) {
      replay_file (argv[i]);
      continue;
    }
    for (const struct dirent *entry; (entry = readdir (folder)) != NULL;) {
      char path[4096];
      if (entry->d_name[0] == '.')
        continue;
      snprintf (path, sizeof path, "%s/%s", argv[i], entry->d_name);
      replay_file (path);
    }
    closedir (folder);
  }
  printf ("%d inputs\n", n_files);
  return n_files > 0 ? 0 : 1;
}
