# The database.

postgres_data() {
  if [ "$(id -u)" != 0 ] || as_postgres test -x "$dir"; then
    echo "$dir/postgres"
  else
    # Postgres refuses to run as root, and whom it runs as may not go through root's own directories.
    echo "/var/tmp/drawdown-postgres-$(cksum <<<"$dir" | cut -d' ' -f1)"
  fi
}

# Postgres refuses to run as root.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
  else
    "$@"
  fi
}

# The newest Postgres that is installed: Debian does not put its programs on PATH.
postgres_programs() {
  local found
  found=$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1)
  [ -n "$found" ] || found=$(command -v initdb || true)
  [ -n "$found" ] && dirname "$(readlink -f "$found")"
}

postgres_user_is_there() {
  [ "$(id -u)" != 0 ] || id postgres >/dev/null 2>&1
}

postgres_running() {
  postgres_user_is_there && runs_with postgres "$(postgres_data)"
}

postgres_prepare() {
  local programs data
  { postgres_programs >/dev/null && postgres_user_is_there; } || install Postgres postgresql
  programs=$(postgres_programs) || fail "Postgres was installed, but its initdb is nowhere to be found"
  postgres_user_is_there || fail "Postgres does not run as root: add a user called postgres, or run this as another"
  data=$(postgres_data)
  if [ ! -f "$data/complete" ]; then
    rm -rf "$data"
    mkdir -p "$data"
    [ "$(id -u)" != 0 ] || chown postgres "$data"
    initialise "$programs" "$data"
  fi
  clear_remains "$data/cluster"
}

initialise() {
  local programs=$1 data=$2
  (
    cd /
    as_postgres tee "$data/password" <<<drawdown >/dev/null
    as_postgres "$programs/initdb" -D "$data/cluster" -U drawdown --auth=scram-sha-256 --no-locale -E UTF8 \
      --no-instructions --pwfile="$data/password" >"$dir/postgres.log" 2>&1 || {
      cat "$dir/postgres.log" >&2
      fail "Postgres' data could not be made"
    }
    as_postgres "$programs/postgres" --single -D "$data/cluster" postgres <<<"create database drawdown" >>"$dir/postgres.log" 2>&1
  )
  touch "$data/complete"
}

# What a killed Postgres left behind: children that are about to notice it, and a number that may be another process'
# now, for which Postgres would not start.
clear_remains() {
  local cluster=$1 pid tries=0
  while is_anyones_place "$cluster" && [ $tries -lt 200 ]; do
    tries=$((tries + 1))
    sleep 0.05
  done
  pid=$(head -n 1 "$cluster/postmaster.pid" 2>/dev/null) || return 0
  process_names "$pid" "$cluster" || rm -f "$cluster/postmaster.pid"
}

# Whether a process works in the directory: Postgres' children do, and say nothing else of where they belong.
is_anyones_place() {
  local place
  for place in /proc/[0-9]*/cwd; do
    if [ "$(readlink "$place" 2>/dev/null)" = "$1" ]; then return; fi
  done
  return 1
}

postgres_start() {
  local programs data
  programs=$(postgres_programs)
  data=$(postgres_data)
  daemon postgres $(as_postgres_words) "$programs/postgres" -D "$data/cluster" -h 127.0.0.1 \
    -p "$(port postgres)" -c unix_socket_directories= -c shared_buffers=128MB -c max_connections=200
}

as_postgres_words() {
  [ "$(id -u)" != 0 ] || echo setpriv --reuid=postgres --regid=postgres --init-groups --
}

postgres_wait() {
  wait_until postgres "$(postgres_programs)/pg_isready" -q -h 127.0.0.1 -p "$(port postgres)"
}

# What it has written is removed, so it need not end in order; but its children are to be gone when this returns.
postgres_stop() {
  postgres_user_is_there || return 0
  if postgres_running; then end postgres QUIT; fi
  rm -rf "$(postgres_data)"
}
