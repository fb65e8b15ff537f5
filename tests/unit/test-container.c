/* Containers: names and their lookup, each limit, damage, encryption, compressed files. */
#include "ingest/extract/archive/container.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#define MIB ((gsize)1 << 20)

typedef struct {
  const char *name, *text;
  gsize n_bytes; /* of text; 0: as a string. Beyond the text: zeroes */
} Member;

static GByteArray *pack (const char *format, const char *filter, const char *option, const Member *members, guint n)
{
  struct archive *archive = archive_write_new ();
  gsize room = 4 * MIB, used = 0;
  for (guint i = 0; i < n; i++)
    room += members[i].n_bytes + 1024;
  GByteArray *bytes = g_byte_array_new ();
  g_byte_array_set_size (bytes, (guint)room);
  g_assert_cmpint (archive_write_set_format_by_name (archive, format), ==, ARCHIVE_OK);
  if (filter)
    g_assert_cmpint (archive_write_add_filter_by_name (archive, filter), ==, ARCHIVE_OK);
  if (option) {
    g_assert_cmpint (archive_write_set_passphrase (archive, "secret"), ==, ARCHIVE_OK);
    g_assert_cmpint (archive_write_set_options (archive, option), ==, ARCHIVE_OK);
  }
  archive_write_set_bytes_in_last_block (archive, 1);
  g_assert_cmpint (archive_write_open_memory (archive, bytes->data, room, &used), ==, ARCHIVE_OK);
  for (guint i = 0; i < n; i++) {
    struct archive_entry *entry = archive_entry_new ();
    gsize length = strlen (members[i].text), size = members[i].n_bytes ? members[i].n_bytes : length;
    g_autofree char *content = g_malloc0 (size + length + 1);
    memcpy (content, members[i].text, length);
    archive_entry_set_pathname (entry, members[i].name);
    archive_entry_set_size (entry, (la_int64_t)size);
    archive_entry_set_filetype (entry, AE_IFREG);
    archive_entry_set_perm (entry, 0644);
    g_assert_cmpint (archive_write_header (archive, entry), ==, ARCHIVE_OK);
    g_assert_cmpint (archive_write_data (archive, content, size), ==, size);
    archive_entry_free (entry);
  }
  g_assert_cmpint (archive_write_close (archive), ==, ARCHIVE_OK);
  archive_write_free (archive);
  g_byte_array_set_size (bytes, (guint)used);
  return bytes;
}

static Container *open_well (const GByteArray *bytes, ContainerFormats formats, const ContainerLimits *limits)
{
  Outcome failure = { 0 };
  Container *container = container_open (bytes->data, bytes->len, formats, limits, &failure);
  g_assert_cmpstr (failure.reason, ==, NULL);
  g_assert_nonnull (container);
  return container;
}

static void assert_content (Container *container, const char *name, const char *text)
{
  const ContainerEntry *entry = container_load_one (container, name);
  g_assert_nonnull (entry);
  g_assert_false (entry->cut || entry->damaged);
  g_assert_cmpmem (entry->bytes, entry->n_bytes, text, strlen (text));
  g_assert_cmpint (entry->bytes[entry->n_bytes], ==, 0);
}

static const Member plain[] = {
  { "mimetype", "a/b", 0 },
  { "./word/Document.xml", "<a/>", 0 },
  { "../../etc/passwd", "only a name", 0 },
  { "twice", "first", 0 },
  { "twice", "second", 0 },
  { "/B\xc3\xbc"
    "cher",
    "umlaut", 0 },
};

static void test_names (gconstpointer format)
{
  g_autoptr (GByteArray) bytes = pack (format, NULL, NULL, plain, G_N_ELEMENTS (plain));
  g_autoptr (Container) container = open_well (bytes, CONTAINER_ZIP | CONTAINER_TAR, &container_default_limits);
  g_assert_cmpuint (container_count (container), ==, G_N_ELEMENTS (plain));
  assert_content (container, "mimetype", "a/b");
  assert_content (container, "word/document.xml", "<a/>");
  assert_content (container, "/word/Document.xml", "<a/>");
  assert_content (container, "../../etc/passwd", "only a name");
  assert_content (container, "twice", "first");
  assert_content (container,
                  "Bu\xcc\x88"
                  "cher",
                  "umlaut"); /* decomposed */
  g_assert_null (container_find (container, "mimetyp"));
  g_assert_null (container_load_one (container, "absent"));
  container_unload (container_find (container, "twice"));
  assert_content (container, "twice", "first");
  /* Tar is not taken for zip, nor the other way round. */
  Outcome failure = { 0 };
  ContainerFormats other = strcmp (format, "zip") == 0 ? CONTAINER_TAR : CONTAINER_ZIP;
  g_assert_null (container_open (bytes->data, bytes->len, other, &container_default_limits, &failure));
  g_assert_cmpint (failure.status, ==, LECTERN_STATUS_DAMAGED);
  g_free (failure.reason);
}

static void test_limits (void)
{
  Member members[] = { { "one", "1", MIB }, { "two", "2", MIB }, { "three", "3", MIB } };
  g_autoptr (GByteArray) bytes = pack ("zip", NULL, NULL, members, 3);
  Outcome failure = { 0 };
  ContainerLimits limits = container_default_limits;
  limits.max_entries = 2;
  g_assert_null (container_open (bytes->data, bytes->len, CONTAINER_ZIP, &limits, &failure));
  g_assert_cmpint (failure.status, ==, LECTERN_STATUS_TOO_LARGE);
  g_assert_cmpstr (failure.reason, ==, "It holds more than 2 files.");
  g_clear_pointer (&failure.reason, g_free);

  limits.max_entries = 3;
  limits.max_entry_bytes = MIB - 1;
  {
    g_autoptr (Container) container = open_well (bytes, CONTAINER_ZIP, &limits);
    const ContainerEntry *one = container_load_one (container, "one");
    g_assert_true (one->cut && !one->damaged);
    g_assert_cmpuint (one->n_bytes, ==, MIB - 1);
  }
  limits.max_entry_bytes = MIB;
  limits.max_total_bytes = 2 * MIB;
  {
    g_autoptr (Container) container = open_well (bytes, CONTAINER_ZIP, &limits);
    const char *names[] = { "one", "three", "two", NULL };
    g_assert_false (container_load_names (container, names, &failure));
    g_assert_cmpint (failure.status, ==, LECTERN_STATUS_TOO_LARGE);
    g_clear_pointer (&failure.reason, g_free);
    g_assert_true (container_find (container, "one")->loaded && !container_find (container, "one")->cut);
    g_assert_false (container_find (container, "three")->loaded);
  }
}

/* 64 MiB of zeroes take about 64 KiB: more than 200 times that and more than what is free is not loaded. */
static void test_bomb (void)
{
  Member members[] = { { "zeroes", "", 64 * MIB } };
  g_autoptr (GByteArray) bytes = pack ("zip", NULL, NULL, members, 1);
  g_assert_cmpuint (bytes->len, <, MIB / 8);
  g_autoptr (Container) container = open_well (bytes, CONTAINER_ZIP, &container_default_limits);
  const ContainerEntry *entry = container_load_one (container, "zeroes");
  g_assert_true (entry->cut);
  g_assert_cmpuint (entry->n_bytes, ==, 32 * MIB);
}

static void test_encrypted (gconstpointer method)
{
  g_autoptr (GByteArray) bytes = pack ("zip", NULL, method, plain, 2);
  g_autoptr (Container) container = open_well (bytes, CONTAINER_ZIP, &container_default_limits);
  g_assert_true (container_get (container, 0)->encrypted);
  g_assert_null (container_load_one (container, "mimetype"));
}

/* Cut anywhere, or with a byte changed, it is read or it is not, but never more than was packed. */
static void test_damage (gconstpointer format)
{
  g_autoptr (GByteArray) bytes = pack (format, NULL, NULL, plain, G_N_ELEMENTS (plain));
  guint readable = 0;
  for (guint i = 0; i < 2 * bytes->len; i++) {
    gsize size = i < bytes->len ? i : bytes->len;
    g_autofree guint8 *damaged = g_memdup2 (bytes->data, MAX (size, 1));
    if (i >= bytes->len)
      damaged[i - bytes->len] ^= 0x55;
    Outcome failure = { 0 };
    g_autoptr (Container) container
        = container_open (damaged, size, CONTAINER_ZIP | CONTAINER_TAR, &container_default_limits, &failure);
    if (!container) {
      g_assert_nonnull (failure.reason);
      g_free (failure.reason);
      continue;
    }
    const ContainerEntry *entry = container_load_one (container, "mimetype");
    readable += entry && !entry->damaged && entry->n_bytes == 3 && memcmp (entry->bytes, "a/b", 3) == 0;
  }
  g_assert_cmpuint (readable, >, bytes->len);
}

static void test_decompress (gconstpointer filter)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < 20000; i++)
    g_string_append_printf (text, "line %u of the log\n", i * 7919 % 20000);
  Member member = { "data", text->str, 0 };
  g_autoptr (GByteArray) bytes = pack ("raw", filter, NULL, &member, 1);
  g_assert_true (container_is_compressed (bytes->data, bytes->len));
  gsize length;
  gboolean cut, damaged;
  Outcome failure = { 0 };
  g_autofree char *whole
      = container_decompress (bytes->data, bytes->len, &container_default_limits, &length, &cut, &damaged, &failure);
  g_assert_cmpmem (whole, length, text->str, text->len);
  g_assert_false (cut || damaged);

  ContainerLimits limits = container_default_limits;
  limits.max_entry_bytes = 1000;
  g_autofree char *part = container_decompress (bytes->data, bytes->len, &limits, &length, &cut, &damaged, &failure);
  g_assert_cmpmem (part, length, text->str, 1000);
  g_assert_true (cut);

  g_assert_null (container_decompress (bytes->data, 8, &container_default_limits, &length, &cut, &damaged, &failure));
  g_assert_cmpint (failure.status, ==, LECTERN_STATUS_DAMAGED);
  g_free (failure.reason);
}

/* What breaks off is kept as far as it can be read. */
static void test_cut_gzip (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < 200000; i++)
    g_string_append_printf (text, "%u ", i * 7919u % 200003u);
  Member member = { "data", text->str, 0 };
  g_autoptr (GByteArray) bytes = pack ("raw", "gzip", NULL, &member, 1);
  gsize length;
  gboolean cut, damaged;
  Outcome failure = { 0 };
  g_autofree char *part = container_decompress (bytes->data, bytes->len / 2, &container_default_limits, &length, &cut,
                                                &damaged, &failure);
  g_assert_nonnull (part);
  g_assert_true (damaged);
  g_assert_cmpuint (length, >, text->len / 4);
  g_assert_cmpint (memcmp (part, text->str, length), ==, 0);
}

int main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  container_warm_up ();
  g_test_add_data_func ("/container/names/zip", "zip", test_names);
  g_test_add_data_func ("/container/names/tar", "ustar", test_names);
  g_test_add_func ("/container/limits", test_limits);
  g_test_add_func ("/container/bomb", test_bomb);
  g_test_add_data_func ("/container/encrypted/zipcrypto", "encryption=zipcrypt", test_encrypted);
  g_test_add_data_func ("/container/encrypted/aes", "encryption=aes256", test_encrypted);
  g_test_add_data_func ("/container/damage/zip", "zip", test_damage);
  g_test_add_data_func ("/container/damage/tar", "ustar", test_damage);
  static const char *const filters[] = { "gzip", "bzip2", "xz", "zstd" };
  for (guint i = 0; i < G_N_ELEMENTS (filters); i++) {
    g_autofree char *name = g_strconcat ("/container/decompress/", filters[i], NULL);
    g_test_add_data_func (name, filters[i], test_decompress);
  }
  g_test_add_func ("/container/decompress/cut", test_cut_gzip);
  return g_test_run ();
}
