# syntax=docker/dockerfile:1
# Images of the producer and of the worker, made by the same Maven build as everything else.
# One of them: docker build --target worker -t sluice-worker .

FROM maven:3-eclipse-temurin-17 AS build
WORKDIR /src
COPY . .
# The class path of each app, jar by jar as Maven resolved it, in a folder of its own.
RUN --mount=type=cache,target=/maven \
    mvn -B -ntp -Dmaven.repo.local=/maven -DskipTests -pl producer-app,worker-app -am package && \
    for app in producer-app worker-app; do \
      mkdir -p "/opt/sluice/$app" && \
      tr ':' '\n' < "$app/target/classpath.txt" > /tmp/jars && \
      xargs -I {} cp {} "/opt/sluice/$app/" < /tmp/jars && \
      cp "$app"/target/*-SNAPSHOT.jar "/opt/sluice/$app/" || exit 1; \
    done

FROM eclipse-temurin:17-jre AS producer
COPY --from=build /opt/sluice/producer-app /opt/sluice/lib
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["java", "-XX:MaxRAMPercentage=70", "-cp", "/opt/sluice/lib/*", "dev.sluice.producer.cli.ProduceMain"]

FROM eclipse-temurin:17-jre AS worker
COPY --from=build /opt/sluice/worker-app /opt/sluice/lib
USER 10001:10001
EXPOSE 9464
ENTRYPOINT ["java", "-XX:MaxRAMPercentage=70", "-cp", "/opt/sluice/lib/*", "dev.sluice.worker.cli.WorkMain"]
