# The image of the service: the verify service itself and its one-off entries, each one a file in /app.
#
#   npm run image                                        builds it with podman or docker
#   run keyhearth                                        a task (service/main.ts)
#   run keyhearth /app/bootstrap.mjs --workspace demo    any other entry, with its arguments
#
# Another base: --build-arg NODE_IMAGE=…. To pin it to one build, name its digest as well:
# public.ecr.aws/docker/library/node:26.10.0-bookworm-slim@sha256:… (shown by `docker buildx imagetools inspect <image>`; take the
# digest of the list of platforms, not that of one platform). The version is the one in package.json's optionalDependencies.
ARG NODE_IMAGE=public.ecr.aws/docker/library/node:26.10.0-bookworm-slim

# The bundle is the same for every processor, so it is made on the machine's own, whatever the image is for.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json /manifest/
COPY image/reduce-manifest.ts /manifest/
RUN node /manifest/reduce-manifest.ts /manifest /build && npm ci --ignore-scripts --no-audit --no-fund
COPY image image
COPY topology topology
COPY service service
COPY LICENSE LICENSE
RUN node image/build.ts /app

# Nothing runs in this stage: an image for ARM64 is made on an x64 machine without emulation.
FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="keyhearth" org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app /app
# Node's own unprivileged user, by number: whoever checks that it isn't root needs no look into the image.
USER 1000:1000
# For what has to be written under a read-only root. Declared, a mount there takes over that its folder is everybody's to write in;
# where nothing is mounted, the root user would own an empty one.
VOLUME ["/tmp"]
EXPOSE 8080
ENTRYPOINT ["node"]
CMD ["/app/main.mjs"]
