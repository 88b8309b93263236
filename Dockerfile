# One image for every process of ours; docker-compose.yaml says which one a container runs.
FROM python:3.11.13-slim-bookworm AS packages
COPY requirements.txt .
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps --only-binary=:all: \
    -r requirements.txt

FROM python:3.11.13-slim-bookworm
# flite speaks for the `local` provider, which needs no vendor's key.
RUN apt-get update \
 && apt-get install -y --no-install-recommends flite \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin voicefleet
COPY --from=packages /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
WORKDIR /app
COPY config.py voice_agent.py sip_trunk_init.py trunk_monitor.py ./
COPY modules modules
COPY agents agents
COPY prompts prompts
COPY scenarios scenarios
# Volumes mounted here start as copies of these folders and so belong to the user below.
RUN install -d -o voicefleet -g voicefleet data data/announcements data/personalities data/trunks logs
USER 10001:10001
CMD ["python", "-m", "modules.api_server"]
