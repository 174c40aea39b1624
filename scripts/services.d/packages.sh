# Debian's packages, where something is missing.

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo -n "$@"
  else
    return 1
  fi
}

# Installs packages for a thing that is missing, or says how to.
install() {
  local what=$1
  shift
  local how="$what is missing: install it, on Debian by: apt-get install $*"
  command -v apt-get >/dev/null || fail "$how"
  as_root true || fail "$how"
  echo "scripts/services: installing $*" >&2
  {
    # More than one of us may install at a time.
    as_root apt-get -o DPkg::Lock::Timeout=300 update -q
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -qy \
      --no-install-recommends "$@"
  } >&2 || fail "$how"
}

java_is_there() {
  local version
  version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
  [ "${version:-0}" -ge 17 ]
}

need_java() {
  java_is_there && return
  local package=openjdk-17-jre-headless
  # Where Debian has a newer release alone, that one does too.
  apt-cache show $package >/dev/null 2>&1 || package=default-jre-headless
  install "Java 17 or later" $package
  java_is_there || fail "the java on PATH is older than 17: put a newer one before it"
}

need_maven() {
  command -v mvn >/dev/null || install Maven maven
}
