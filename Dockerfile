# syntax=docker/dockerfile:1
FROM swift:6.3-bookworm AS builder
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends libhiredis-dev libssl-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The dependencies on their own, so that a change of our sources does not fetch them again.
COPY Package.swift ./
RUN swift package resolve
COPY Sources Sources
COPY cmd cmd
COPY Tests Tests
RUN swift build -c release --static-swift-stdlib --product carillon-server \
    && install -D "$(swift build -c release --static-swift-stdlib --show-bin-path)/carillon-server" /out/carillon-server

FROM debian:bookworm-slim
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends ca-certificates libhiredis0.14 libssl3 libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin carillon
COPY --from=builder /out/carillon-server /usr/local/bin/carillon-server
COPY scripts/healthcheck.sh /usr/local/bin/healthcheck
COPY web /usr/local/share/carillon/web
ENV WEB_DIR=/usr/local/share/carillon/web
USER carillon
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD ["/usr/local/bin/healthcheck", "8080"]
ENTRYPOINT ["/usr/local/bin/carillon-server"]
