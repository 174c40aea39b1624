# The program alone, built with the toolchain that rust-toolchain.toml names.
FROM rust:1-slim-bookworm AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends build-essential cmake perl pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /drawdown
COPY . .
RUN cargo build --release --locked -p server --bin drawdown

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --home-dir /var/lib/drawdown drawdown
COPY --from=build /drawdown/target/release/drawdown /usr/local/bin/drawdown
USER drawdown
WORKDIR /var/lib/drawdown
# A volume that is mounted here begins with this owner.
RUN mkdir drawdown-data
ENTRYPOINT ["drawdown"]
CMD ["--help"]
