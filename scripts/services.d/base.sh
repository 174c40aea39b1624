# What both services need: ports, pids, a lock, and processes that outlive the caller.

fail() {
  echo "scripts/services: $*" >&2
  exit 1
}

needs() {
  command -v "$1" >/dev/null || fail "$1 is missing: install the package $2"
}

# One at a time in each directory; released when this process ends.
lock() {
  exec 9>"$1/lock"
  flock 9
}

port() {
  sed -n "s/^$1=//p" "$dir/ports"
}

answers() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Below the ports that systems give to outgoing connections: a client that reconnects could take such a one itself.
free_port() {
  local candidate
  while :; do
    candidate=$((10240 + (RANDOM * 32768 + RANDOM) % 22000))
    answers "$candidate" || break
  done
  echo "$candidate"
}

# Ports are chosen once, and again only where something else has taken one meanwhile.
choose_ports() {
  local name chosen service
  touch "$dir/ports"
  for name in kafka controller secured postgres; do
    chosen=$(port "$name")
    [ "$name" != kafka ] || chosen=${kafka_port:-$chosen}
    case $name in controller | secured) service=kafka ;; *) service=$name ;; esac
    if [ -z "$chosen" ] || { ! "${service}_running" && [ -z "$kafka_port" ] && answers "$chosen"; }; then
      chosen=$(free_port)
    fi
    { grep -v "^$name=" "$dir/ports" || true; echo "$name=$chosen"; } >"$dir/ports.new"
    mv "$dir/ports.new" "$dir/ports"
  done
}

# Whether the service's pid is that of a process which names its data: after a restart of the machine the number may
# be another's.
runs_with() {
  local pid
  pid=$(cat "$dir/$1.pid" 2>/dev/null) && process_names "$pid" "$2"
}

process_names() {
  [ -n "$1" ] && { tr '\0' '\n' <"/proc/$1/cmdline" | grep -qF -e "$2"; } 2>/dev/null
}

# Starts a service that holds nothing of ours open: no terminal, no pipe, no lock.
daemon() {
  local service=$1
  shift
  [ ! -f "$dir/$service.log" ] || mv "$dir/$service.log" "$dir/$service.log.1"
  (
    cd /
    exec </dev/null >"$dir/$service.log" 2>&1
    for open in /proc/self/fd/*; do
      open=${open##*/}
      [ "$open" -le 2 ] || eval "exec $open>&-"
    done
    exec setsid "$@"
  ) &
  echo $! >"$dir/$service.pid"
  # Until it has become the service it looks like this script, which does not name the service's data.
  while cmp -s "/proc/$!/cmdline" "/proc/$$/cmdline"; do sleep 0.01; done
}

# Waits until a condition holds, at most a minute, and as long as the service runs.
wait_until() {
  local service=$1 tries=0
  shift
  until "$@"; do
    "${service}_running" || {
      tail -n 30 "$dir/$service.log" >&2
      fail "$service ended before it was ready: its log is $dir/$service.log"
    }
    tries=$((tries + 1))
    [ $tries -lt 1200 ] || fail "$service was not ready after a minute: its log is $dir/$service.log"
    sleep 0.05
  done
}

# Ends a process and waits until it is gone.
end() {
  local service=$1 signal=$2 pid tries=0
  pid=$(cat "$dir/$service.pid")
  kill "-$signal" "$pid" 2>/dev/null || true
  while "${service}_running"; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || kill -KILL "$pid" 2>/dev/null || true
    sleep 0.05
  done
  rm -f "$dir/$service.pid"
}
