# The project with the versions of its lock; what it runs unless it is told otherwise is `make`.
#
#   docker build -t trial-evidence .
#   docker run --rm -v "${PWD}/data:/project/data" -v "${PWD}/config:/project/config" \
#     -v "${PWD}/results:/project/results" trial-evidence
#
# The sheet, the configuration and the results are those of the folder outside; README.md, docs/clusters.md.

# This image has git and make.
FROM python:3.13

WORKDIR /project

# Apart from the rest: an edit of the project installs nothing again.
COPY Makefile requirements.lock ./
RUN make .venv/installed

COPY . .

CMD ["make"]
