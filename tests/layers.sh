#!/bin/sh
# The layer check: app > ui > ingest > retrieval > engine. An include may point down, never up, and from another
# folder only at its public header. engine/ knows neither GLib nor SQLite.
set -eu
cd "$1"
fail=0
rank() { case $1 in engine) echo 1 ;; retrieval) echo 2 ;; ingest) echo 3 ;; ui) echo 4 ;; app) echo 5 ;; esac; }
for folder in engine retrieval ingest ui app; do
  [ -d "$folder" ] || continue
  own=$(rank $folder)
  includes=$(grep -rnE '^ *# *include +"(engine|retrieval|ingest|ui|app)/' --include='*.c' --include='*.h' "$folder" || true)
  [ -n "$includes" ] || continue
  echo "$includes" | while IFS= read -r line; do
    target=$(printf '%s\n' "$line" | sed -E 's/.*include +"([^"]+)".*/\1/')
    other=${target%%/*}
    [ "$other" = "$folder" ] && continue
    if [ "$(rank "$other")" -gt "$own" ]; then echo "points up: $line"; exit 9; fi
    if [ "$target" != "$other/$other.h" ]; then echo "reaches into another layer: $line"; exit 9; fi
  done || fail=1
done
if grep -rnE '#[[:space:]]*include[[:space:]]*<(glib|gio|gtk|sqlite3|adwaita|json-glib)' engine; then
  echo 'engine/ must not use GLib or SQLite'
  fail=1
fi
exit $fail
