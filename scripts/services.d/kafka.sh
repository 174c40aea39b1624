# The broker: one node, KRaft.

jars=$home/jars
archive=$home/kafka.jsa
java_options=(-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1)

kafka_running() {
  runs_with kafka "$dir/kafka/server.properties"
}

kafka_prepare() {
  need_java
  (
    exec 8>"$home/jars.lock"
    flock 8
    [ -f "$jars/$(pom_digest)" ] || download
    [ -f "$archive" ] || make_archive
  )
  configure
}

pom_digest() {
  cksum <"$parts/pom.xml" | tr ' ' '-'
}

download() {
  local try
  need_maven
  echo "scripts/services: downloading Kafka's jars" >&2
  for try in 1 2 3; do
    rm -rf "$jars.new" "$archive"
    if mvn -q -B -f "$parts/pom.xml" dependency:copy-dependencies -DoutputDirectory="$jars.new" >&2; then
      touch "$jars.new/$(pom_digest)"
      rm -rf "$jars"
      mv "$jars.new" "$jars"
      return
    fi
    sleep $((try * 2))
  done
  fail "Kafka's jars could not be downloaded: see Maven's messages above"
}

# Makes the data directory if there is none, and the properties with the ports as they are now.
configure() {
  local id
  mkdir -p "$dir/kafka"
  sed -e "s|@DATA@|$dir/kafka/data|" -e "s|@PORT@|$(port kafka)|" -e "s|@CONTROLLER@|$(port controller)|" \
    "$parts/server.properties" >"$dir/kafka/server.properties"
  if [ $kafka_secured = yes ] || [ -f "$dir/kafka/ca.pem" ]; then secure; fi
  if [ -f "$dir/kafka/more.properties" ]; then cat "$dir/kafka/more.properties" >>"$dir/kafka/server.properties"; fi
  [ -f "$dir/kafka/data/meta.properties" ] && return
  # 16 random bytes; one that began with a dash would be taken for an option.
  id=$(cat "$dir/kafka/cluster.id" 2>/dev/null || head -c 16 /dev/urandom | base64 | tr '+/' '-_' | sed 's/^-/A/' | cut -c1-22)
  java "${java_options[@]}" -cp "$jars/*" "-Dlog4j2.configurationFile=$parts/log4j2.properties" \
    kafka.tools.StorageTool format -t "$id" -c "$dir/kafka/server.properties" \
    --add-scram "SCRAM-SHA-512=[name=drawdown,password=drawdown]" >&2
}

# One more listener, with TLS and the user drawdown, whose password is drawdown; clients find its certificate in ca.pem.
secure() {
  local keys=$dir/kafka/keys.p12
  if [ ! -f "$dir/kafka/ca.pem" ]; then
    keytool -genkeypair -alias broker -keyalg EC -validity 3650 -dname CN=127.0.0.1 -ext san=ip:127.0.0.1 \
      -ext bc:c=ca:true -storetype PKCS12 -keystore "$keys" -storepass drawdown >&2
    keytool -exportcert -rfc -alias broker -keystore "$keys" -storepass drawdown >"$dir/kafka/ca.pem"
  fi
  sed -e "s|@PORT@|$(port kafka)|" -e "s|@CONTROLLER@|$(port controller)|" -e "s|@SECURED@|$(port secured)|" \
    -e "s|@KEYS@|$keys|" "$parts/secured.properties" >>"$dir/kafka/server.properties"
}

broker() {
  daemon kafka java "${java_options[@]}" "$@" "-Dlog4j2.configurationFile=$parts/log4j2.properties" \
    -cp "$jars/*" kafka.Kafka "$dir/kafka/server.properties"
}

kafka_start() {
  broker -Xshare:auto "-XX:SharedArchiveFile=$archive"
}

kafka_wait() {
  wait_until kafka grep -qs "Kafka Server started" "$dir/kafka.log"
}

# The classes as the virtual machine lays them out, which a first run leaves behind: later ones start in a second.
make_archive() {
  echo "scripts/services: starting Kafka once, for later starts to be quick" >&2
  configure
  broker "-XX:ArchiveClassesAtExit=$archive.new"
  kafka_wait
  end kafka TERM
  mv "$archive.new" "$archive"
}

# What it has written is removed, so it need not end in order.
kafka_stop() {
  if kafka_running; then end kafka KILL; fi
}
