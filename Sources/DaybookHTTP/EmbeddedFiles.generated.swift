// swift-format-ignore-file
// Written by tools/generate-embedded. Do not edit.

/// What the binary serves as it is, so that one file is enough.
enum EmbeddedFiles {
/// `docs/openapi.yaml`
static let openAPI = ##"""
openapi: 3.1.1
info:
  title: Daybook
  version: 1.0.0
  summary: Runs workflows once, at the moment they were promised.
  description: |
    A **workflow** says how work is done. A **schedule** promises one run of it at an exact time; a **run** is one
    execution, started by a schedule, by hand, or by a trigger. Every accepted command is in an append-only log
    before it is answered.

    ### Keys and roles
    Requests carry `Authorization: Bearer dbk_…`. A key belongs to one team, and nothing in a request changes that:
    what belongs to another team is answered like an id that nobody has, 404. The roles:

    | role | may |
    |---|---|
    | `read` | everything with GET, of its team |
    | `work` | claim runs, and heartbeat, complete, fail and release them |
    | `write` | both, and all changes in its team |
    | `admin` | everything, also what concerns the service: teams, licenses, keys, SQS triggers, pause, clock, rebuild, metrics, the entries of all teams |

    ### Values
    - **Ids** are 24 lowercase hexadecimal digits. Anything else in a path is 404.
    - **Times** are RFC 3339 with a zone, in the years 1970 to 9999, in microseconds at the finest, without second 60.
      Answers are in UTC with `Z`.
    - **Texts** are UTF-8, without U+0000. Their greatest lengths are in bytes, so `maxLength` below is the most that a
      text of ASCII may have. Names and descriptions are kept in Unicode's normal form C.
    - **Integers** may be written `1.0` or `1e2`. Nothing is rounded.
    - **Payloads** (`run_input`, `output`) are any JSON, at most 256 KiB unless set otherwise, and come back byte for
      byte: digits, white space and the order of names included.
    - **Bodies** have at most 1 MiB, those of batches 32 MiB. They are UTF-8 without a byte order mark, nested at most 64
      deep, without a name that comes twice in an object; otherwise 400.
    - **Fields and query parameters that are not known** are refused with 422. A path has one form: with a slash at its
      end, or two in a row, it is 404.

    ### Repeats
    Every POST, PATCH, PUT and DELETE takes an `Idempotency-Key`. The same request with the same key has one effect and
    gets its first answer again, with `Idempotent-Replayed: true`, for 7 days unless set otherwise, also after a
    restart. Another request with the same key, method and path is 422 (`idempotency_key_reused`). A request that was
    refused, or that changed nothing, keeps no key.

    ### Revisions
    Schedules, workflows, triggers, subscriptions and teams have a `revision`, sent as `ETag`. A command with `If-Match`
    is done only at that revision; otherwise 412.

    ### Errors
    Errors are `application/problem+json` (RFC 9457) with a stable `code`. Besides what each operation lists:
    - 404 (`not_found`) for a path that is not here, and 405 (`method_not_allowed`) with `Allow` for a method that a path
      does not know. HEAD is answered wherever GET is.
    - 400 without a body, and the end of the connection, for a request that is not HTTP/1.1, or whose head has more than
      32 KiB, 100 fields, or 16 KiB in one of them.
    - 500 (`internal`) where the service fails; its own log says why, under the request's id.
    - 503 without a body, with `Retry-After`, for a connection that is one too many.

    Every answer has `Daybook-Request-Id`, which is also in the log, and `Cache-Control: no-store`.
servers:
  - url: /
security:
  - key: []
tags:
  - name: workflows
    description: What is run, and how.
  - name: versions
    description: The draft, its snapshots, and which of them is active.
  - name: schedules
    description: Promises of runs.
  - name: batches
    description: Many schedules at once.
  - name: runs
    description: Executions, whatever started them.
  - name: workers
    description: Programs that take runs from their team's queues.
  - name: triggers
    description: Events from outside that start runs.
  - name: webhooks
    description: Subscriptions that are told of workflows and runs.
  - name: log
    description: What happened, when, and who asked; with proofs.
  - name: teams
    description: Tenants, their licenses and their keys.
  - name: operation
    description: How the service is, and the administrator's words to it.

paths:
  # Workflows

  /workflows:
    post:
      operationId: createWorkflow
      tags: [workflows]
      summary: Make a workflow
      description: |
        Role `write`. The definition becomes version 0, the draft, which is active. The answer shows the workflow's
        signing `secret`; it is shown here and at its rotation only.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/NewWorkflow'}
            examples:
              echo:
                summary: Completes with its input, for trying things out
                value: {name: call, definition: {executor: {type: echo}}}
              http:
                summary: A signed request to a URL
                value:
                  name: remind
                  description: Calls the patient the day before
                  definition:
                    executor:
                      type: http
                      url: https://calls.example.com/start
                      headers: {Authorization: {secret: Bearer 123}, X-Clinic: north}
                      timeout_seconds: 30
                  run_timeout_seconds: 600
                  retry: {max_attempts: 3, initial_backoff_seconds: 10, max_backoff_seconds: 300}
                  max_concurrent_runs: 20
              worker:
                summary: A queue that workers serve
                value: {name: desk, definition: {executor: {type: worker, queue: desk}}}
      responses:
        '201': {$ref: '#/components/responses/WorkflowMade'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    get:
      operationId: listWorkflows
      tags: [workflows]
      summary: List workflows
      description: Role `read`. Newest first.
      parameters:
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/Cursor'
      responses:
        '200':
          description: A page of workflows.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema:
                type: object
                required: [items, next_cursor]
                properties:
                  items: {type: array, maxItems: 100, items: {$ref: '#/components/schemas/Workflow'}}
                  next_cursor: {$ref: '#/components/schemas/NextCursor'}
              example: {items: [], next_cursor: null}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflows/{workflow_id}:
    parameters:
      - $ref: '#/components/parameters/WorkflowId'
    get:
      operationId: getWorkflow
      tags: [workflows]
      summary: Read a workflow
      description: Role `read`.
      responses:
        '200': {$ref: '#/components/responses/Workflow'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    patch:
      operationId: updateWorkflow
      tags: [workflows]
      summary: Change a workflow
      description: |
        Role `write`. A field that is left out stays. While a workflow is paused its schedules still fire, and its runs
        wait. A change of nothing is 200 without an entry in the log.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatch'
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/WorkflowChanges'}
            example: {paused: true, description: null}
      responses:
        '200': {$ref: '#/components/responses/WorkflowChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    delete:
      operationId: deleteWorkflow
      tags: [workflows]
      summary: Delete a workflow
      description: |
        Role `write`. Only where no schedule of it is pending and all its runs have ended, otherwise 409
        (`workflow_in_use`). With `cancel_pending=true` an operation cancels what is left and deletes the workflow then;
        meanwhile it takes no new schedules and runs (409, `workflow_closed`). Its history stays readable.
      parameters:
        - name: cancel_pending
          in: query
          description: Whether pending schedules and unfinished runs are cancelled first.
          schema: {type: boolean, default: false}
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatch'
      responses:
        '200': {$ref: '#/components/responses/Deleted'}
        '202': {$ref: '#/components/responses/OperationStarted'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409':
          $ref: '#/components/responses/Conflict'
          description: |
            `workflow_in_use`: schedules are pending or runs unfinished (`pending`, `unfinished_runs`).
            `workflow_closed`: an operation deletes it already (`operation_id`). `limit_reached`: 10 operations of the
            team are under way (`limit`).
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflows/{workflow_id}/concurrency:
    parameters:
      - $ref: '#/components/parameters/WorkflowId'
    patch:
      operationId: setWorkflowConcurrency
      tags: [workflows]
      summary: Set how many runs of a workflow may be in progress at once
      description: Role `write`. What goes beyond waits its turn; runs that are in progress go on.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatch'
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [max_concurrent_runs]
              properties:
                max_concurrent_runs: {$ref: '#/components/schemas/WorkflowConcurrency'}
            example: {max_concurrent_runs: 20}
      responses:
        '200': {$ref: '#/components/responses/WorkflowChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflows/{workflow_id}/secret/rotate:
    parameters:
      - $ref: '#/components/parameters/WorkflowId'
    post:
      operationId: rotateWorkflowSecret
      tags: [workflows]
      summary: Make a new signing secret
      description: |
        Role `write`. The answer shows the new `secret`. For 24 hours requests are signed with the old one too.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatch'
      requestBody: {$ref: '#/components/requestBodies/Nothing'}
      responses:
        '200': {$ref: '#/components/responses/WorkflowChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflows/{workflow_id}/history:
    parameters:
      - $ref: '#/components/parameters/WorkflowId'
    get:
      operationId: getWorkflowHistory
      tags: [workflows, log]
      summary: List the entries about a workflow
      description: Role `read`. The last one first, each with what it changed. Also of a workflow that was deleted.
      parameters:
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/PositionCursor'
      responses:
        '200': {$ref: '#/components/responses/History'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflows/{workflow_id}/export:
    parameters:
      - $ref: '#/components/parameters/WorkflowId'
    get:
      operationId: exportWorkflow
      tags: [workflows]
      summary: Read a workflow as a bundle
      description: |
        Role `read`. Everything about the workflow but its secrets, for `POST /workflows/import` of another service.
        At most 100 versions besides the draft.
      parameters:
        - name: versions
          in: query
          description: Numbers of versions with commas between them; all where it is left out. The active one is always there.
          schema: {type: string, pattern: '^[0-9]{1,7}(,[0-9]{1,7})*$'}
          example: '1,3'
      responses:
        '200':
          description: The bundle.
          headers:
            ETag: {$ref: '#/components/headers/ETag'}
            Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Bundle'}
              example:
                format: daybook-workflow
                format_version: 1
                name: call
                description: null
                run_timeout_seconds: 3600
                retry: {max_attempts: 1, initial_backoff_seconds: 10, max_backoff_seconds: 300}
                max_concurrent_runs: 0
                active_version: 1
                definition: {executor: {type: echo, delay_ms: 100}}
                versions:
                  - {version_number: 1, version_name: first, definition: {executor: {type: echo}}}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflows/import:
    post:
      operationId: importWorkflow
      tags: [workflows]
      summary: Make a workflow of a bundle
      description: |
        Role `write`. Makes the workflow with all its versions in one entry of the log. A header that the bundle shows as
        `{"secret": true}` must be given its secret first. The answer shows the new signing `secret`.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/NewBundle'}
            example:
              format: daybook-workflow
              format_version: 1
              name: call
              active_version: 1
              definition: {executor: {type: echo, delay_ms: 100}}
              versions:
                - {version_number: 1, version_name: first, definition: {executor: {type: echo}}}
      responses:
        '201': {$ref: '#/components/responses/WorkflowMade'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  # Versions

  /workflows/{workflow_id}/versions:
    parameters:
      - $ref: '#/components/parameters/WorkflowId'
    post:
      operationId: saveVersion
      tags: [versions]
      summary: Keep a snapshot as the next version
      description: |
        Role `write`. Snapshots the draft, or the version in `source_version_number`, under the next number. Its
        definition never changes again, and its number is never used again.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatch'
      requestBody:
        required: false
        content:
          application/json:
            schema: {$ref: '#/components/schemas/NewVersion'}
            example: {version_name: before the holidays, mark_as_active: true}
      responses:
        '201': {$ref: '#/components/responses/VersionMade'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    get:
      operationId: listVersions
      tags: [versions]
      summary: List the versions of a workflow
      description: Role `read`. Greatest number first, the draft last.
      parameters:
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/Cursor'
      responses:
        '200':
          description: A page of versions.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema:
                type: object
                required: [items, next_cursor]
                properties:
                  items: {type: array, maxItems: 100, items: {$ref: '#/components/schemas/Version'}}
                  next_cursor: {$ref: '#/components/schemas/NextCursor'}
              example: {items: [], next_cursor: null}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflows/{workflow_id}/versions/{version}:
    parameters:
      - $ref: '#/components/parameters/WorkflowId'
      - $ref: '#/components/parameters/Version'
    get:
      operationId: getVersion
      tags: [versions]
      summary: Read a version
      description: Role `read`.
      responses:
        '200': {$ref: '#/components/responses/Version'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    patch:
      operationId: renameVersion
      tags: [versions]
      summary: Name a version
      description: Role `write`. The same name again is 200 without an entry in the log.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatchWorkflow'
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [version_name]
              properties:
                version_name: {$ref: '#/components/schemas/Label'}
            example: {version_name: before the holidays}
      responses:
        '200': {$ref: '#/components/responses/VersionChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    delete:
      operationId: deleteVersion
      tags: [versions]
      summary: Delete a version
      description: |
        Role `write`. Not the draft, nor the active version, nor one that a pending schedule is pinned to or an unfinished
        run uses: 409.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatchWorkflow'
      responses:
        '200':
          description: It is deleted.
          headers:
            Daybook-Position: {$ref: '#/components/headers/Position'}
            Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
            Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
          content:
            application/json:
              schema:
                type: object
                required: [workflow_id, version_number, deleted]
                properties:
                  workflow_id: {$ref: '#/components/schemas/Id'}
                  version_number: {$ref: '#/components/schemas/VersionNumber'}
                  deleted: {const: true}
              example: {workflow_id: 019ac1f5d3a85b1c2d3e4f50, version_number: 2, deleted: true}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409':
          $ref: '#/components/responses/Conflict'
          description: '`version_in_use`: it is the draft, active, or needed (`pending`, `unfinished_runs`).'
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflows/{workflow_id}/versions/{version}/definition:
    parameters:
      - $ref: '#/components/parameters/WorkflowId'
      - name: version
        in: path
        required: true
        description: 0, the draft. No other version has a definition that can be changed; 404.
        schema: {type: integer, const: 0}
    put:
      operationId: editDraft
      tags: [versions]
      summary: Replace the draft's definition
      description: |
        Role `write`. The whole definition. A header of `{"secret": true}` keeps the secret that the draft has for it, so
        that what was read can be sent back.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatchWorkflow'
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Definition'}
            example: {executor: {type: echo, delay_ms: 100}}
      responses:
        '200': {$ref: '#/components/responses/VersionChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflows/{workflow_id}/versions/{version}/activate:
    parameters:
      - $ref: '#/components/parameters/WorkflowId'
      - $ref: '#/components/parameters/Version'
    post:
      operationId: activateVersion
      tags: [versions]
      summary: Make a version the active one
      description: |
        Role `write`. Runs from now on take it, unless their schedule or trigger is pinned to another one. An older one
        rolls back. Where it is active already, 200 without an entry in the log. The answer is the workflow.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatchWorkflow'
      requestBody: {$ref: '#/components/requestBodies/Nothing'}
      responses:
        '200': {$ref: '#/components/responses/WorkflowChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflows/{workflow_id}/versions/{version}/diff/{other_version}:
    parameters:
      - $ref: '#/components/parameters/WorkflowId'
      - $ref: '#/components/parameters/Version'
      - name: other_version
        in: path
        required: true
        description: The version to compare with.
        schema: {$ref: '#/components/schemas/VersionNumber'}
    get:
      operationId: diffVersions
      tags: [versions]
      summary: Compare the definitions of two versions
      description: |
        Role `read`. Each value that is not the same in both, in the order of their paths. A secret is shown as
        `{"secret": true}`, and as changed where it was set anew.
      responses:
        '200':
          description: The differences.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema:
                type: object
                required: [workflow_id, from_version, to_version, changes]
                properties:
                  workflow_id: {$ref: '#/components/schemas/Id'}
                  from_version: {$ref: '#/components/schemas/VersionNumber'}
                  to_version: {$ref: '#/components/schemas/VersionNumber'}
                  changes:
                    type: array
                    items:
                      type: object
                      required: [path]
                      properties:
                        path:
                          type: string
                          description: Names and indexes from the outside in, with dots between them.
                        old: {description: In `version`; absent where it has none.}
                        new: {description: In `other_version`; absent where it has none.}
              example:
                workflow_id: 019ac1f5d3a85b1c2d3e4f50
                from_version: 1
                to_version: 0
                changes: [{path: executor.delay_ms, new: 100}]
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  # Schedules

  /workflows/{workflow_id}/schedules:
    parameters:
      - $ref: '#/components/parameters/WorkflowId'
    post:
      operationId: createSchedule
      tags: [schedules]
      summary: Promise a run at an exact time
      description: |
        Role `write`. Fires once, never early. What came due while the service was down fires at its next start, in due
        order. Without `version` the run takes the version that is active when it fires.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/NewSchedule'}
            examples:
              plain:
                summary: A time and an input
                value: {scheduled_time: '2030-03-01T09:00:00+01:00', run_input: {patient: 7}}
              full:
                summary: With everything
                value:
                  scheduled_time: '2030-03-01T08:00:00Z'
                  run_input: {patient: 7}
                  version: 0
                  scheduled_by_name: Front desk
                  expires_at: '2030-03-01T10:00:00Z'
                  priority: 8
                  dedup_key: reminder-7
      responses:
        '201': {$ref: '#/components/responses/ScheduleMade'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409':
          $ref: '#/components/responses/Conflict'
          description: |
            `duplicate`: a pending schedule of the workflow has this `dedup_key` (`schedule_id`). `workflow_closed`: the
            workflow is being deleted (`operation_id`).
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    get:
      operationId: listWorkflowSchedules
      tags: [schedules]
      summary: List the schedules of a workflow
      description: |
        Role `read`. Newest first, unless `order` says otherwise. With a filter or `as_of`, a page may be short and still
        have a `next_cursor`: at most 10,000 schedules are looked at for it.
      parameters:
        - $ref: '#/components/parameters/ScheduleStatus'
        - $ref: '#/components/parameters/DedupKey'
        - $ref: '#/components/parameters/FromScheduledTime'
        - $ref: '#/components/parameters/ToScheduledTime'
        - $ref: '#/components/parameters/ScheduleOrder'
        - $ref: '#/components/parameters/AsOf'
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/Cursor'
      responses:
        '200': {$ref: '#/components/responses/Schedules'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-schedules:
    get:
      operationId: listSchedules
      tags: [schedules]
      summary: List the schedules of the team
      description: |
        Role `read`. Newest first, unless `order` says otherwise. With a filter or `as_of`, a page may be short and still
        have a `next_cursor`: at most 10,000 schedules are looked at for it.
      parameters:
        - $ref: '#/components/parameters/ScheduleStatus'
        - $ref: '#/components/parameters/OfWorkflow'
        - $ref: '#/components/parameters/DedupKey'
        - $ref: '#/components/parameters/FromScheduledTime'
        - $ref: '#/components/parameters/ToScheduledTime'
        - $ref: '#/components/parameters/ScheduleOrder'
        - $ref: '#/components/parameters/AsOf'
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/Cursor'
      responses:
        '200': {$ref: '#/components/responses/Schedules'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-schedules/density:
    get:
      operationId: getScheduleDensity
      tags: [schedules]
      summary: Count schedules by time
      description: |
        Role `read`. The time from `from` to `to` is cut into `buckets` equal parts; those that hold schedules are
        answered, in order, with how many by status. An answer counts 20,000 schedules at most. With its `next_cursor`
        the next one goes on, perhaps within the last part, whose counts are then to be added.
      parameters:
        - {name: from, in: query, required: true, description: Its beginning., schema: {$ref: '#/components/schemas/Time'}}
        - name: to
          in: query
          required: true
          description: Its end, later than `from`; what is due then is not counted.
          schema: {$ref: '#/components/schemas/Time'}
        - {name: buckets, in: query, required: true, schema: {type: integer, minimum: 1, maximum: 500}}
        - $ref: '#/components/parameters/OfWorkflow'
        - $ref: '#/components/parameters/Cursor'
      responses:
        '200':
          description: The counts.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema:
                type: object
                required: [items, next_cursor]
                properties:
                  items: {type: array, maxItems: 500, items: {$ref: '#/components/schemas/DensityPart'}}
                  next_cursor: {$ref: '#/components/schemas/NextCursor'}
              example:
                items:
                  - from: '2030-03-01T00:00:00Z'
                    to: '2030-03-02T00:00:00Z'
                    pending: 40
                    in_progress: 0
                    completed: 0
                    failed: 0
                    cancelled: 2
                    max_lateness_ms: null
                next_cursor: null
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-schedules/{schedule_id}:
    parameters:
      - $ref: '#/components/parameters/ScheduleId'
    get:
      operationId: getSchedule
      tags: [schedules]
      summary: Read a schedule
      description: Role `read`. With `as_of`, as it was then; 404 where it was not there yet.
      parameters:
        - $ref: '#/components/parameters/AsOf'
      responses:
        '200': {$ref: '#/components/responses/Schedule'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    patch:
      operationId: updateSchedule
      tags: [schedules]
      summary: Change a pending schedule
      description: |
        Role `write`. A field that is left out stays; `version: null` unpins, `expires_at: null` removes, `run_input: null`
        is JSON null. A change of nothing is 200 without an entry in the log. Against firing there is one answer: 200, and
        it never fires as it was, or 409 with the run's id.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatch'
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/ScheduleChanges'}
            example: {scheduled_time: '2030-03-02T08:00:00Z', version: null}
      responses:
        '200': {$ref: '#/components/responses/ScheduleChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409':
          $ref: '#/components/responses/Conflict'
          description: '`not_pending`: it has fired, ended or been cancelled (`schedule_status`, `run_id`).'
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    delete:
      operationId: cancelSchedule
      tags: [schedules]
      summary: Cancel a pending schedule
      description: |
        Role `write`. For ever, and there will be no run. The schedule stays readable as `cancelled`, and is the answer.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatch'
      responses:
        '200': {$ref: '#/components/responses/ScheduleChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409':
          $ref: '#/components/responses/Conflict'
          description: '`not_pending`: it has fired, ended or been cancelled (`schedule_status`, `run_id`).'
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-schedules/{schedule_id}/history:
    parameters:
      - $ref: '#/components/parameters/ScheduleId'
    get:
      operationId: getScheduleHistory
      tags: [schedules, log]
      summary: List the entries about a schedule
      description: Role `read`. The last one first, each with what it changed.
      parameters:
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/PositionCursor'
      responses:
        '200': {$ref: '#/components/responses/History'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-schedules/{schedule_id}/erase:
    parameters:
      - $ref: '#/components/parameters/ScheduleId'
    post:
      operationId: eraseSchedule
      tags: [schedules]
      summary: Erase the payloads of a schedule and its run
      description: |
        Role `write`. Takes input, output and messages out for ever; the log stays verifiable. Once erased they are shown
        as `null`, with `erased: true`. A second time is 200 without an entry in the log. A schedule that is pending, or
        whose run has not ended, is erased only with `force`; it still fires, with `null` as its input.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatch'
      requestBody: {$ref: '#/components/requestBodies/Erasure'}
      responses:
        '200': {$ref: '#/components/responses/ScheduleChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409':
          $ref: '#/components/responses/Conflict'
          description: '`not_finished`: it is pending (`schedule_status`). `run_state`: its run has not ended (`run_status`).'
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  # Batches

  /workflows/{workflow_id}/schedules/batch:
    parameters:
      - $ref: '#/components/parameters/WorkflowId'
    post:
      operationId: createSchedules
      tags: [batches]
      summary: Promise many runs
      description: |
        Role `write`. 1 to 10,000 items, as a JSON array or one to a line. The answer has a line for each item, in their
        order, written as soon as its part is durable: its schedule, or the problem that it alone would have had. With the
        `Idempotency-Key` `K`, item i has the key `K#i`, so a batch that broke off is resumed by sending it again.
        A body that is no array, or has no items, is refused as a whole.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: array
              minItems: 1
              maxItems: 10000
              items: {$ref: '#/components/schemas/NewSchedule'}
            example:
              - {scheduled_time: '2030-03-01T08:00:00Z', run_input: {patient: 7}}
              - {scheduled_time: '2030-03-01T08:05:00Z', run_input: {patient: 8}}
          application/x-ndjson:
            schema:
              type: string
              pattern: '[^ \t\r\n]'
              description: A `NewSchedule` on each line. Lines of white space are passed over.
            example: |
              {"scheduled_time": "2030-03-01T08:00:00Z", "run_input": {"patient": 7}}
              {"scheduled_time": "2030-03-01T08:05:00Z", "run_input": {"patient": 8}}
          application/jsonl:
            schema: {type: string, pattern: '[^ \t\r\n]', description: The same.}
            example: |
              {"scheduled_time": "2030-03-01T08:00:00Z", "run_input": {"patient": 7}}
      responses:
        '200':
          description: A `BatchLine` for each item.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/x-ndjson:
              schema: {description: 'Lines, each of the form in `x-item-schema`.'}
              x-item-schema: {$ref: '#/components/schemas/BatchLine'}
              example: |
                {"index":0,"status":201,"position":41,"replayed":false,"schedule":{"id":"019ac1f5d3a85b1c2d3e4f51","status":"pending"}}
                {"index":1,"status":422,"problem":{"type":"/problems/invalid","title":"A value is not valid","status":422,"detail":"/scheduled_time must lie in the future","code":"invalid","request_id":"5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f","errors":[{"pointer":"/scheduled_time","message":"must lie in the future"}]}}
        '400':
          $ref: '#/components/responses/Malformed'
          description: '`malformed`: the body is not JSON, no array, or has no items; or a header has not its form.'
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-schedules/cancel:
    post:
      operationId: cancelSchedules
      tags: [batches]
      summary: Cancel pending schedules by a filter
      description: |
        Role `write`. With `dry_run` only counts. Otherwise an operation cancels one after the other; what fires or changes
        meanwhile is refused to it, and told there.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [filter]
              properties:
                filter: {$ref: '#/components/schemas/PendingFilter'}
                dry_run: {$ref: '#/components/schemas/DryRun'}
            example: {filter: {dedup_key: reminder-7}, dry_run: true}
      responses:
        '200': {$ref: '#/components/responses/Matched'}
        '202': {$ref: '#/components/responses/OperationStarted'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '409':
          $ref: '#/components/responses/Conflict'
          description: '`limit_reached`: 10 operations of the team are under way (`limit`).'
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-schedules/modify:
    post:
      operationId: modifySchedules
      tags: [batches]
      summary: Change pending schedules by a filter
      description: |
        Role `write`. With `dry_run` only counts. Otherwise an operation changes one after the other; what fires or changes
        meanwhile is refused to it, and told there.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [filter, changes]
              properties:
                filter: {$ref: '#/components/schemas/PendingFilter'}
                changes: {$ref: '#/components/schemas/BulkChanges'}
                dry_run: {$ref: '#/components/schemas/DryRun'}
            example: {filter: {status: pending}, changes: {shift_seconds: 3600}}
      responses:
        '200': {$ref: '#/components/responses/Matched'}
        '202': {$ref: '#/components/responses/OperationStarted'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '409':
          $ref: '#/components/responses/Conflict'
          description: '`limit_reached`: 10 operations of the team are under way (`limit`).'
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /operations/{operation_id}:
    parameters:
      - $ref: '#/components/parameters/OperationId'
    get:
      operationId: getOperation
      tags: [batches]
      summary: Read how an operation stands
      description: Role `read`. An operation goes on after a restart, and ends early where the key that asked is revoked.
      responses:
        '200':
          description: The operation.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Operation'}
              examples: {running: {$ref: '#/components/examples/Operation'}}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  # Runs

  /workflows/{workflow_id}/execute:
    parameters:
      - $ref: '#/components/parameters/WorkflowId'
    post:
      operationId: executeWorkflow
      tags: [runs]
      summary: Start a run by hand
      description: |
        Role `write`. Queues a run at once. With `wait` the answer comes when the run ends, or after so many seconds.
        A repeat with the same `Idempotency-Key` waits again.
      parameters:
        - name: version
          in: query
          description: The version that the run takes; the active one where it is left out.
          schema: {$ref: '#/components/schemas/VersionNumber'}
        - name: wait
          in: query
          description: Seconds to wait for the run's end.
          schema: {type: integer, minimum: 0, maximum: 60, default: 0}
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody:
        required: false
        content:
          application/json:
            schema: {$ref: '#/components/schemas/NewRun'}
            example: {run_input: {patient: 8}, priority: 9}
      responses:
        '200':
          $ref: '#/components/responses/RunChanged'
          description: The run, which has ended.
        '202':
          $ref: '#/components/responses/RunChanged'
          description: The run, as it was queued.
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409':
          $ref: '#/components/responses/Conflict'
          description: '`workflow_closed`: the workflow is being deleted (`operation_id`).'
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-runs:
    get:
      operationId: listRuns
      tags: [runs]
      summary: List the runs of the team
      description: |
        Role `read`. Of all modes, newest first. With a filter or `as_of`, a page may be short and still have a
        `next_cursor`: at most 10,000 runs are looked at for it.
      parameters:
        - name: status
          in: query
          description: Only runs of this status.
          schema: {$ref: '#/components/schemas/RunStatus'}
        - name: mode
          in: query
          description: Only runs that were started so.
          schema: {$ref: '#/components/schemas/RunMode'}
        - $ref: '#/components/parameters/OfWorkflow'
        - name: schedule_id
          in: query
          description: Only the run of this schedule.
          schema: {$ref: '#/components/schemas/Id'}
        - name: trigger_id
          in: query
          description: Only runs that this trigger started.
          schema: {$ref: '#/components/schemas/Id'}
        - name: from
          in: query
          description: Only runs queued then or later.
          schema: {$ref: '#/components/schemas/Time'}
        - name: to
          in: query
          description: Only runs queued earlier.
          schema: {$ref: '#/components/schemas/Time'}
        - $ref: '#/components/parameters/AsOf'
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/Cursor'
      responses:
        '200':
          description: A page of runs.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema:
                type: object
                required: [items, next_cursor]
                properties:
                  items: {type: array, maxItems: 100, items: {$ref: '#/components/schemas/Run'}}
                  next_cursor: {$ref: '#/components/schemas/NextCursor'}
              example: {items: [], next_cursor: null}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-runs/{run_id}:
    parameters:
      - $ref: '#/components/parameters/RunId'
    get:
      operationId: getRun
      tags: [runs]
      summary: Read a run
      description: Role `read`. With `as_of`, as it was then; 404 where it was not there yet.
      parameters:
        - $ref: '#/components/parameters/AsOf'
      responses:
        '200': {$ref: '#/components/responses/Run'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-runs/{run_id}/why:
    parameters:
      - $ref: '#/components/parameters/RunId'
    get:
      operationId: explainRun
      tags: [runs]
      summary: Ask why a run waits, or why it ended
      description: |
        Role `read`. Everything that a queued run waits for, who holds the slots, and which entries of the log prove it; of
        a run in progress who has it; of one that ended how.
      responses:
        '200':
          description: The answer.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Why'}
              example:
                run_id: 019ac1f5d3a85b1c2d3e4f52
                team_id: 019ac1f5d3a85b1c2d3e4f01
                status: queued
                position: 57
                summary: 'waits: no worker asks for runs of the queue desk'
                waits_for:
                  - reason: no_worker
                    detail: no worker asks for runs of the queue desk
                    queue: desk
                    last_claim_at: null
                    positions: []
                running: null
                ended: null
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-runs/{run_id}/history:
    parameters:
      - $ref: '#/components/parameters/RunId'
    get:
      operationId: getRunHistory
      tags: [runs, log]
      summary: List the entries about a run
      description: Role `read`. The last one first, each with what it changed.
      parameters:
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/PositionCursor'
      responses:
        '200': {$ref: '#/components/responses/History'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-runs/{run_id}/cancel:
    parameters:
      - $ref: '#/components/parameters/RunId'
    post:
      operationId: cancelRun
      tags: [runs]
      summary: Cancel a run that has not ended
      description: |
        Role `write`. Its slot is free at once. Whoever carries it out hears 409 at the next word about it. Its schedule
        becomes `failed`.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody: {$ref: '#/components/requestBodies/Nothing'}
      responses:
        '200': {$ref: '#/components/responses/RunChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409':
          $ref: '#/components/responses/Conflict'
          description: '`run_state`: it has ended (`run_status`).'
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-runs/{run_id}/erase:
    parameters:
      - $ref: '#/components/parameters/RunId'
    post:
      operationId: eraseRun
      tags: [runs]
      summary: Erase the payloads of a run and its schedule
      description: |
        Role `write`. Takes input, output and messages out for ever; the log stays verifiable. Once erased they are shown
        as `null`, with `erased: true`. A second time is 200 without an entry in the log. A run that has not ended is
        erased only with `force`.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody: {$ref: '#/components/requestBodies/Erasure'}
      responses:
        '200': {$ref: '#/components/responses/RunChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409':
          $ref: '#/components/responses/Conflict'
          description: '`run_state`: it has not ended (`run_status`).'
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  # Workers

  /queues/{queue}/claim:
    parameters:
      - name: queue
        in: path
        required: true
        description: A queue of the team, as its workflows name it. One that no workflow names has no runs.
        schema: {$ref: '#/components/schemas/QueueName'}
    post:
      operationId: claimRuns
      tags: [workers]
      summary: Take runs from a queue
      description: |
        Role `work`. Starts up to `max` runs for the worker, within the limits of team and workflows, in fair turns. Where
        none may start, waits up to `wait_seconds`; `runs` is empty then. A run is the worker's while its lease is renewed
        by heartbeats; otherwise it is reaped, and starts again elsewhere. A repeat with the same `Idempotency-Key` gives
        the same runs and attempts. Runs that a worker without a key cannot be told of, since its connection broke, are
        given back.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [worker]
              properties:
                worker:
                  $ref: '#/components/schemas/Label'
                  description: The worker's name, shown at its runs.
                max: {type: integer, minimum: 1, maximum: 100, default: 1, description: The most runs to take.}
                wait_seconds: {type: integer, minimum: 0, maximum: 60, default: 0}
                lease_seconds:
                  type: integer
                  minimum: 5
                  maximum: 3600
                  default: 60
                  description: For how long the worker may be silent.
            example: {worker: w1, max: 2, wait_seconds: 20}
      responses:
        '200':
          description: The runs, at most `max`.
          headers:
            Daybook-Position:
              $ref: '#/components/headers/PositionOfLast'
            Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
            Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
          content:
            application/json:
              schema:
                type: object
                required: [runs]
                properties:
                  runs: {type: array, maxItems: 100, items: {$ref: '#/components/schemas/Assignment'}}
              example:
                runs:
                  - run_id: 019ac1f5d3a85b1c2d3e4f52
                    attempt: 1
                    lease_expires_at: '2030-03-01T08:01:00Z'
                    heartbeat_every_seconds: 12
                    deadline: '2030-03-01T09:00:00Z'
                    workflow_id: 019ac1f5d3a85b1c2d3e4f50
                    version: 0
                    definition: {executor: {type: worker, queue: desk}}
                    mode: manual
                    scheduled_time: null
                    run_input: {patient: 8}
          links:
            complete:
              operationId: completeRun
              parameters: {run_id: $response.body#/runs/0/run_id}
              requestBody: {attempt: $response.body#/runs/0/attempt}
            fail:
              operationId: failRun
              parameters: {run_id: $response.body#/runs/0/run_id}
              requestBody: {attempt: $response.body#/runs/0/attempt}
            heartbeat:
              operationId: heartbeatRun
              parameters: {run_id: $response.body#/runs/0/run_id}
              requestBody: {attempt: $response.body#/runs/0/attempt}
            release:
              operationId: releaseRun
              parameters: {run_id: $response.body#/runs/0/run_id}
              requestBody: {attempt: $response.body#/runs/0/attempt}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-runs/{run_id}/complete:
    parameters:
      - $ref: '#/components/parameters/RunId'
    post:
      operationId: completeRun
      tags: [workers]
      summary: Say that a run is done
      description: |
        Role `work`. For runs of workers, and for those whose HTTP request was answered with 202. The same answer again,
        for the same attempt, is 200 without an entry in the log.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [attempt]
              properties:
                attempt: {$ref: '#/components/schemas/Attempt'}
                output: {$ref: '#/components/schemas/Payload'}
            example: {attempt: 1, output: {reached: true}}
      responses:
        '200': {$ref: '#/components/responses/RunAnswered'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409': {$ref: '#/components/responses/NotCurrent'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-runs/{run_id}/fail:
    parameters:
      - $ref: '#/components/parameters/RunId'
    post:
      operationId: failRun
      tags: [workers]
      summary: Say that an attempt failed
      description: |
        Role `work`. The run is tried again as its workflow's `retry` allows, unless `retryable` is false. The same answer
        again, for the same attempt, is 200 without an entry in the log.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [attempt]
              properties:
                attempt: {$ref: '#/components/schemas/Attempt'}
                reason:
                  type: string
                  enum: [error, timeout, http_status, connection, invalid_output]
                  default: error
                message: {type: string, maxLength: 16384, description: For a person to read; at most 16 KiB.}
                retryable: {type: boolean, default: true}
            example: {attempt: 1, message: nobody answered, retryable: false}
      responses:
        '200': {$ref: '#/components/responses/RunAnswered'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409': {$ref: '#/components/responses/NotCurrent'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-runs/{run_id}/heartbeat:
    parameters:
      - $ref: '#/components/parameters/RunId'
    post:
      operationId: heartbeatRun
      tags: [workers]
      summary: Keep a run's lease
      description: |
        Role `work`. Makes an entry in the log only where less than half of the lease is left. The deadline stays.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody: {$ref: '#/components/requestBodies/AttemptOnly'}
      responses:
        '200':
          description: Until when the run is the worker's.
          headers:
            Daybook-Position: {$ref: '#/components/headers/Position'}
            Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
            Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
          content:
            application/json:
              schema:
                type: object
                required: [run_id, attempt, lease_expires_at, deadline]
                properties:
                  run_id: {$ref: '#/components/schemas/Id'}
                  attempt: {$ref: '#/components/schemas/Attempt'}
                  lease_expires_at:
                    $ref: '#/components/schemas/TimeOrNull'
                    description: '`null` of a run that no worker has.'
                  deadline: {$ref: '#/components/schemas/Time'}
              example:
                run_id: 019ac1f5d3a85b1c2d3e4f52
                attempt: 1
                lease_expires_at: '2030-03-01T08:02:00Z'
                deadline: '2030-03-01T09:00:00Z'
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409': {$ref: '#/components/responses/NotCurrent'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-runs/{run_id}/release:
    parameters:
      - $ref: '#/components/parameters/RunId'
    post:
      operationId: releaseRun
      tags: [workers]
      summary: Give a run back
      description: Role `work`. It is queued again where it was, and the attempt costs it no try.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody: {$ref: '#/components/requestBodies/AttemptOnly'}
      responses:
        '200': {$ref: '#/components/responses/RunAnswered'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409': {$ref: '#/components/responses/NotCurrent'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  # Triggers

  /workflow-triggers:
    post:
      operationId: createTrigger
      tags: [triggers]
      summary: Make a trigger
      description: |
        Role `write`; `admin` for the kind `sqs`, since queues are read with the service's own credentials. A trigger of
        the kind `webhook` takes calls at its `path`; the answer shows its `secret`, here and at its rotation only. A team
        has at most 1,000 triggers.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/NewTrigger'}
            examples:
              none:
                summary: Known by its path alone
                value:
                  kind: webhook
                  workflow_id: 019ac1f5d3a85b1c2d3e4f50
                  name: intake
                  verification: {type: none}
              github:
                summary: Signed as GitHub does
                value:
                  kind: webhook
                  workflow_id: 019ac1f5d3a85b1c2d3e4f50
                  name: pushes
                  verification: {type: hmac, preset: github}
                  secret: a-secret-that-github-has-too
              sqs:
                summary: An AWS queue
                value:
                  kind: sqs
                  workflow_id: 019ac1f5d3a85b1c2d3e4f50
                  name: orders
                  queue_url: https://sqs.eu-central-1.amazonaws.com/123456789012/orders
                  region: eu-central-1
      responses:
        '201': {$ref: '#/components/responses/TriggerMade'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409':
          $ref: '#/components/responses/Conflict'
          description: '`limit_reached`: the team has 1,000 triggers (`limit`).'
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    get:
      operationId: listTriggers
      tags: [triggers]
      summary: List triggers
      description: Role `read`. Newest first.
      parameters:
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/Cursor'
      responses:
        '200':
          description: A page of triggers.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema:
                type: object
                required: [items, next_cursor]
                properties:
                  items: {type: array, maxItems: 100, items: {$ref: '#/components/schemas/Trigger'}}
                  next_cursor: {$ref: '#/components/schemas/NextCursor'}
              example: {items: [], next_cursor: null}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-triggers/{trigger_id}:
    parameters:
      - $ref: '#/components/parameters/TriggerId'
    get:
      operationId: getTrigger
      tags: [triggers]
      summary: Read a trigger
      description: Role `read`.
      responses:
        '200': {$ref: '#/components/responses/Trigger'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    patch:
      operationId: updateTrigger
      tags: [triggers]
      summary: Change a trigger
      description: |
        Role `write`; `admin` for the kind `sqs`. The fields of its kind; what is left out stays. The type of a
        verification cannot change, since the secret depends on it. A change of nothing is 200 without an entry in the log.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatch'
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/TriggerChanges'}
            example: {enabled: false, version: null}
      responses:
        '200': {$ref: '#/components/responses/TriggerChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    delete:
      operationId: deleteTrigger
      tags: [triggers]
      summary: Delete a trigger
      description: Role `write`; `admin` for the kind `sqs`. Its runs go on; what it refused stays readable.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatch'
      responses:
        '200': {$ref: '#/components/responses/Deleted'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-triggers/{trigger_id}/secret/rotate:
    parameters:
      - $ref: '#/components/parameters/TriggerId'
    post:
      operationId: rotateTriggerSecret
      tags: [triggers]
      summary: Give a trigger a new secret
      description: |
        Role `write`. The secret that the request brings, or a new one; the answer shows it. For 24 hours the old one lets
        in too. A trigger of the kind `sqs` has none: 422.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatch'
      requestBody:
        required: false
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              properties:
                secret: {$ref: '#/components/schemas/TriggerSecret'}
            example: {}
      responses:
        '200': {$ref: '#/components/responses/TriggerChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-triggers/{trigger_id}/refusals:
    parameters:
      - $ref: '#/components/parameters/TriggerId'
    get:
      operationId: listRefusals
      tags: [triggers]
      summary: List what a trigger refused
      description: |
        Role `read`. `items` are messages that were let in and could not become runs; they are kept, newest first, also
        when their trigger is gone. `turned_away` are calls that did not prove themselves, since the process started.
      parameters:
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/Cursor'
      responses:
        '200':
          description: A page of refusals.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Refusals'}
              example:
                items:
                  - id: 019ac1f5d3a85b1c2d3e4f60
                    team_id: 019ac1f5d3a85b1c2d3e4f01
                    trigger_id: 019ac1f5d3a85b1c2d3e4f54
                    reason: invalid_json
                    detail: 'the body is not JSON: empty body at byte 0'
                    content_type: application/json
                    body: '{'
                    run_id: null
                    created_at: '2030-03-01T08:00:00Z'
                    updated_at: '2030-03-01T08:00:00Z'
                    created_by: trigger:019ac1f5d3a85b1c2d3e4f54
                    updated_by: trigger:019ac1f5d3a85b1c2d3e4f54
                next_cursor: null
                turned_away:
                  since: '2030-03-01T07:00:00Z'
                  counts: {wrong_signature: 1}
                  recent: [{at: '2030-03-01T07:30:00Z', reason: wrong_signature}]
          links:
            retry:
              operationId: retryRefusal
              parameters: {trigger_id: $request.path.trigger_id, refusal_id: $response.body#/items/0/id}
            erase:
              operationId: eraseRefusal
              parameters: {trigger_id: $request.path.trigger_id, refusal_id: $response.body#/items/0/id}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-triggers/{trigger_id}/refusals/{refusal_id}/retry:
    parameters:
      - $ref: '#/components/parameters/TriggerId'
      - $ref: '#/components/parameters/RefusalId'
    post:
      operationId: retryRefusal
      tags: [triggers]
      summary: Make a run of a refused message
      description: Role `write`. As the trigger and its workflow are now. Once only.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatchTrigger'
      requestBody: {$ref: '#/components/requestBodies/Nothing'}
      responses:
        '202':
          $ref: '#/components/responses/RunChanged'
          description: The run, as it was queued.
        '400':
          $ref: '#/components/responses/Malformed'
          description: '`malformed`: the request is, or the message still is not JSON.'
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409':
          $ref: '#/components/responses/Conflict'
          description: '`refusal_retried`: it became a run (`run_id`). `erased`: its body was erased.'
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '413':
          $ref: '#/components/responses/TooLarge'
          description: '`too_large`: the request is, or the message still is.'
        '415':
          $ref: '#/components/responses/UnsupportedMediaType'
          description: '`unsupported_media_type`: of the request, or still of the message. `unsupported_content_encoding`.'
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-triggers/{trigger_id}/refusals/{refusal_id}/erase:
    parameters:
      - $ref: '#/components/parameters/TriggerId'
      - $ref: '#/components/parameters/RefusalId'
    post:
      operationId: eraseRefusal
      tags: [triggers]
      summary: Erase the body of a refused message
      description: Role `write`. For ever. A second time is 200 without an entry in the log.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody: {$ref: '#/components/requestBodies/Nothing'}
      responses:
        '200':
          description: The refusal, without its body.
          headers:
            Daybook-Position: {$ref: '#/components/headers/Position'}
            Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
            Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Refusal'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /hooks/{trigger_id}:
    parameters:
      - $ref: '#/components/parameters/TriggerId'
    post:
      operationId: receiveHook
      tags: [triggers]
      summary: Call a trigger that verifies its callers
      description: |
        No key: the call proves itself as the trigger's `verification` says. Answered after the commit. A repeat, known by
        the id that the trigger's `deduplicate_by` names, starts nothing and is answered as the first was. A body that is
        not JSON (or a form or text, where the trigger takes those) is kept as a refusal. Query parameters are ignored.
      security: []
      requestBody: {$ref: '#/components/requestBodies/Hook'}
      responses:
        '202': {$ref: '#/components/responses/HookTaken'}
        '400': {$ref: '#/components/responses/HookMalformed'}
        '401': {$ref: '#/components/responses/HookRefused'}
        '413': {$ref: '#/components/responses/HookTooLarge'}
        '415': {$ref: '#/components/responses/HookUnsupported'}
        '422': {$ref: '#/components/responses/HookUnusable'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /hooks/{trigger_id}/{token}:
    parameters:
      - $ref: '#/components/parameters/TriggerId'
      - name: token
        in: path
        required: true
        description: The secret of a trigger of the verification `none`; of other types it is ignored.
        schema: {type: string, minLength: 1}
        example: 3f9d7c1b5a8e4f2d6c0b9a7e8d1f3c5b2a4e6d8f0c1b3a5e7d9f2c4b6a8e0d1f
    post:
      operationId: receiveHookByPath
      tags: [triggers]
      summary: Call a trigger that is known by its path
      description: |
        No key: who knows the path is let in. Otherwise as `POST /hooks/{trigger_id}`.
      security: []
      requestBody: {$ref: '#/components/requestBodies/Hook'}
      responses:
        '202': {$ref: '#/components/responses/HookTaken'}
        '400': {$ref: '#/components/responses/HookMalformed'}
        '401': {$ref: '#/components/responses/HookRefused'}
        '413': {$ref: '#/components/responses/HookTooLarge'}
        '415': {$ref: '#/components/responses/HookUnsupported'}
        '422': {$ref: '#/components/responses/HookUnusable'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  # Completion webhooks

  /workflow-webhooks:
    post:
      operationId: createSubscription
      tags: [webhooks]
      summary: Make a subscription
      description: |
        Role `write`. Each event that it wants is sent to `url` as a POST, signed after Standard Webhooks, at least once and
        always with the same id and body. The answer shows the signing `secret`, here and at its rotation only. A team has
        at most 100 subscriptions.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/NewSubscription'}
            example:
              name: ends
              url: https://receiver.example.com/daybook
              actions: [workflow_run_completed, workflow_schedule_expired]
              max_retries: 5
      responses:
        '201': {$ref: '#/components/responses/SubscriptionMade'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '409':
          $ref: '#/components/responses/Conflict'
          description: '`limit_reached`: the team has 100 subscriptions (`limit`).'
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    get:
      operationId: listSubscriptions
      tags: [webhooks]
      summary: List subscriptions
      description: Role `read`. Newest first.
      parameters:
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/Cursor'
      responses:
        '200':
          description: A page of subscriptions.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema:
                type: object
                required: [items, next_cursor]
                properties:
                  items: {type: array, maxItems: 100, items: {$ref: '#/components/schemas/Subscription'}}
                  next_cursor: {$ref: '#/components/schemas/NextCursor'}
              example: {items: [], next_cursor: null}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-webhooks/{subscription_id}:
    parameters:
      - $ref: '#/components/parameters/SubscriptionId'
    get:
      operationId: getSubscription
      tags: [webhooks]
      summary: Read a subscription
      description: Role `read`.
      responses:
        '200': {$ref: '#/components/responses/Subscription'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    patch:
      operationId: updateSubscription
      tags: [webhooks]
      summary: Change a subscription
      description: |
        Role `write`. A field that is left out stays. `enabled: true` also takes back that the receiver said it was gone
        (410). A change of nothing is 200 without an entry in the log.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatch'
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/SubscriptionChanges'}
            example: {enabled: true, clear_bearer_token: true}
      responses:
        '200': {$ref: '#/components/responses/SubscriptionChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    delete:
      operationId: deleteSubscription
      tags: [webhooks]
      summary: Delete a subscription
      description: Role `write`. What waits to be delivered to it fails; its deliveries stay readable.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatch'
      responses:
        '200': {$ref: '#/components/responses/Deleted'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-webhooks/{subscription_id}/secret/rotate:
    parameters:
      - $ref: '#/components/parameters/SubscriptionId'
    post:
      operationId: rotateSubscriptionSecret
      tags: [webhooks]
      summary: Make a new signing secret
      description: Role `write`. The answer shows the new `secret`. For 24 hours deliveries are signed with the old one too.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatch'
      requestBody: {$ref: '#/components/requestBodies/Nothing'}
      responses:
        '200': {$ref: '#/components/responses/SubscriptionChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-webhooks/{subscription_id}/replay:
    parameters:
      - $ref: '#/components/parameters/SubscriptionId'
    post:
      operationId: replayDeliveries
      tags: [webhooks]
      summary: Send a range of the log again
      description: |
        Role `write`. Deliveries to the subscription that have ended are sent again, with the same ids and bodies; what
        still waits is passed over. About 500 in a request: while `next_after` is not null, ask again with it as `after`.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatch'
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [after]
              properties:
                after:
                  $ref: '#/components/schemas/Moment'
                  description: Events behind this position, or recorded after this time.
                until:
                  $ref: '#/components/schemas/Moment'
                  description: Events up to this position or time; up to the end of the log where it is left out.
            example: {after: 1200, until: '2030-03-01T09:00:00Z'}
      responses:
        '200':
          description: How many are sent again.
          headers:
            Daybook-Position: {$ref: '#/components/headers/Position'}
            Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
            Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
          content:
            application/json:
              schema:
                type: object
                required: [requeued, next_after]
                properties:
                  requeued: {type: integer, minimum: 0}
                  next_after:
                    type: [integer, 'null']
                    minimum: 1
                    description: Where the range goes on; `null` where this was all of it.
              example: {requeued: 12, next_after: null}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-webhooks/events:
    get:
      operationId: listDeliveries
      tags: [webhooks]
      summary: List deliveries
      description: |
        Role `read`. Of all subscriptions of the team, newest first. With a filter, a page may be short and still have a
        `next_cursor`.
      parameters:
        - name: subscription_id
          in: query
          description: Only deliveries to this subscription.
          schema: {$ref: '#/components/schemas/Id'}
        - $ref: '#/components/parameters/OfWorkflow'
        - name: action
          in: query
          description: Only deliveries of this action.
          schema: {$ref: '#/components/schemas/Action'}
        - name: status
          in: query
          description: Only deliveries of this status.
          schema: {$ref: '#/components/schemas/DeliveryStatus'}
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/Cursor'
      responses:
        '200':
          description: A page of deliveries.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema:
                type: object
                required: [items, next_cursor]
                properties:
                  items: {type: array, maxItems: 100, items: {$ref: '#/components/schemas/Delivery'}}
                  next_cursor: {$ref: '#/components/schemas/NextCursor'}
              example: {items: [], next_cursor: null}
          links:
            read:
              operationId: getDelivery
              parameters: {delivery_id: $response.body#/items/0/id}
            attempts:
              operationId: listDeliveryAttempts
              parameters: {delivery_id: $response.body#/items/0/id}
            retry:
              operationId: retryDelivery
              parameters: {delivery_id: $response.body#/items/0/id}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-webhooks/events/{delivery_id}:
    parameters:
      - $ref: '#/components/parameters/DeliveryId'
    get:
      operationId: getDelivery
      tags: [webhooks]
      summary: Read a delivery
      description: Role `read`.
      responses:
        '200':
          description: The delivery.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Delivery'}
              examples: {delivered: {$ref: '#/components/examples/Delivery'}}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-webhooks/events/{delivery_id}/attempts:
    parameters:
      - $ref: '#/components/parameters/DeliveryId'
    get:
      operationId: listDeliveryAttempts
      tags: [webhooks]
      summary: List the attempts of a delivery
      description: Role `read`. The last one first.
      parameters:
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/PositionCursor'
      responses:
        '200':
          description: A page of attempts.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema:
                type: object
                required: [items, next_cursor]
                properties:
                  items: {type: array, maxItems: 100, items: {$ref: '#/components/schemas/DeliveryAttempt'}}
                  next_cursor: {$ref: '#/components/schemas/NextPosition'}
              example:
                items:
                  - attempt: 1
                    position: 62
                    started_at: '2030-03-01T08:00:01Z'
                    latency_ms: 38
                    status_code: 204
                    answer: null
                    error: null
                next_cursor: null
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /workflow-webhooks/events/{delivery_id}/retry:
    parameters:
      - $ref: '#/components/parameters/DeliveryId'
    post:
      operationId: retryDelivery
      tags: [webhooks]
      summary: Send a delivery again
      description: Role `write`. One that has ended, also a delivered one; with the same id and body.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody: {$ref: '#/components/requestBodies/Nothing'}
      responses:
        '200':
          description: The delivery, which waits again.
          headers:
            Daybook-Position: {$ref: '#/components/headers/Position'}
            Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
            Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Delivery'}
              examples: {delivered: {$ref: '#/components/examples/Delivery'}}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409':
          $ref: '#/components/responses/Conflict'
          description: '`delivery_state`: it still waits to be sent (`delivery_status`).'
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  # Log

  /log:
    get:
      operationId: listLog
      tags: [log]
      summary: Read the log
      description: |
        Role `read`: the team's entries; role `admin`: those of all teams and of the service. By position, oldest first.
        `through` says how far the log was looked at: the next page begins after it, whether or not this one is full.
      parameters:
        - name: after
          in: query
          description: The position after which to begin. Not beyond the end of the log.
          schema: {type: integer, minimum: 0, default: 0}
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/LogTeam'
        - $ref: '#/components/parameters/OfWorkflow'
        - $ref: '#/components/parameters/LogSchedule'
        - $ref: '#/components/parameters/LogRun'
        - $ref: '#/components/parameters/LogActor'
        - $ref: '#/components/parameters/LogCommand'
        - $ref: '#/components/parameters/LogEvent'
        - $ref: '#/components/parameters/LogFrom'
        - $ref: '#/components/parameters/LogTo'
        - $ref: '#/components/parameters/Payloads'
      responses:
        '200':
          description: A page of entries.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema:
                type: object
                required: [items, through]
                properties:
                  items: {type: array, maxItems: 100, items: {$ref: '#/components/schemas/Entry'}}
                  through: {type: integer, minimum: 0, description: The last position that was looked at.}
              example:
                items: []
                through: 57
          links:
            entry:
              operationId: getEntry
              parameters: {position: $response.body#/items/0/position}
            proof:
              operationId: getInclusionProof
              parameters: {position: $response.body#/items/0/position}
            consistency:
              operationId: getConsistencyProof
              parameters: {from: $response.body#/items/0/position}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /log/stream:
    get:
      operationId: streamLog
      tags: [log]
      summary: Follow the log as it grows
      description: |
        Role `read`; what it shows is as in `GET /log`. Server-sent events: `entry`, whose data is an entry and whose id is
        its position, and at once and then at least every 15 seconds `through`, whose data is `{"through": <position>}`.
        Begins at the end of the log, unless `Last-Event-ID` or `after` names a position. Ends when the key holds no
        longer. A client that takes nothing for 60 seconds is cut off.
      parameters:
        - name: after
          in: query
          description: The position after which to begin. Not beyond the end of the log.
          schema: {type: integer, minimum: 0}
        - name: Last-Event-ID
          in: header
          description: The same; it goes before `after`. Browsers send it when they connect again.
          schema: {type: string, pattern: '^(0|[1-9][0-9]{0,18})$'}
        - $ref: '#/components/parameters/LogTeam'
        - $ref: '#/components/parameters/OfWorkflow'
        - $ref: '#/components/parameters/LogSchedule'
        - $ref: '#/components/parameters/LogRun'
        - $ref: '#/components/parameters/LogActor'
        - $ref: '#/components/parameters/LogCommand'
        - $ref: '#/components/parameters/LogEvent'
        - $ref: '#/components/parameters/LogFrom'
        - $ref: '#/components/parameters/LogTo'
        - $ref: '#/components/parameters/Payloads'
      responses:
        '200':
          description: The events, without an end.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            text/event-stream:
              schema: {type: string}
              x-item-schema: {$ref: '#/components/schemas/LogEvent'}
              example: |
                id: 57
                event: through
                data: {"through":57}

        '400':
          $ref: '#/components/responses/Malformed'
          description: '`malformed`: `Last-Event-ID` is not a position of this log.'
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /log/{position}:
    parameters:
      - $ref: '#/components/parameters/Position'
    get:
      operationId: getEntry
      tags: [log]
      summary: Read one entry
      description: |
        Role `read`: of the team; role `admin`: any. With `Accept: application/protobuf`, its exact bytes (message
        `daybook.Entry` of `docs/daybook.proto`), over which its leaf hash is made; then without `payloads`.
      parameters:
        - $ref: '#/components/parameters/Payloads'
      responses:
        '200':
          description: The entry.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Entry'}
              examples: {queued: {$ref: '#/components/examples/Entry'}}
            application/protobuf:
              schema: {type: string, contentMediaType: application/protobuf}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /log/{position}/proof:
    parameters:
      - $ref: '#/components/parameters/Position'
    get:
      operationId: getInclusionProof
      tags: [log]
      summary: Prove that an entry is in the log
      description: |
        Role `read`. The proof of RFC 9162, section 2.1.3, in the log as it is, or as it was at an earlier size, with a
        signed checkpoint of that size.
      parameters:
        - name: tree_size
          in: query
          description: A size of the log, not less than the position.
          schema: {type: integer, minimum: 1}
      responses:
        '200':
          description: The proof.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/InclusionProof'}
              example:
                position: 2
                tree_size: 3
                leaf_hash: 3vYw8KcDk1oQf2bJ5m9xZr7uQ4sT6vWnA0bCdEfGhIk=
                hashes: [q1oQf2bJ5m9xZr7uQ4sT6vWnA0bCdEfGhIk3vYw8Kc0=]
                checkpoint: |
                  daybook/5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
                  3
                  Qf2bJ5m9xZr7uQ4sT6vWnA0bCdEfGhIk3vYw8KcDk1o=

                  — daybook/5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f kK9f…
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /log/checkpoint:
    get:
      operationId: getCheckpoint
      tags: [log]
      summary: Read a signed checkpoint
      description: Role `read`. Origin, size and root hash of the log, as a signed note (tlog-checkpoint of C2SP).
      responses:
        '200':
          description: The checkpoint.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            text/plain:
              schema: {type: string}
              example: |
                daybook/5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
                57
                Qf2bJ5m9xZr7uQ4sT6vWnA0bCdEfGhIk3vYw8KcDk1o=

                — daybook/5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f kK9f…
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /log/consistency:
    get:
      operationId: getConsistencyProof
      tags: [log]
      summary: Prove that the log of an earlier size is the beginning of a later one
      description: Role `read`. The proof of RFC 9162, section 2.1.4, with a signed checkpoint of the later size.
      parameters:
        - name: from
          in: query
          required: true
          description: The earlier size.
          schema: {type: integer, minimum: 1}
        - name: to
          in: query
          description: The later size; that of the log where it is left out.
          schema: {type: integer, minimum: 1}
      responses:
        '200':
          description: The proof.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/ConsistencyProof'}
              example:
                from: 2
                to: 3
                hashes: [q1oQf2bJ5m9xZr7uQ4sT6vWnA0bCdEfGhIk3vYw8Kc0=]
                checkpoint: |
                  daybook/5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
                  3
                  Qf2bJ5m9xZr7uQ4sT6vWnA0bCdEfGhIk3vYw8KcDk1o=

                  — daybook/5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f kK9f…
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /log/public-key:
    get:
      operationId: getPublicKey
      tags: [log]
      summary: Read the key that verifies checkpoints
      description: No key needed. A verifier key of the form of C2SP's signed notes.
      security: []
      responses:
        '200':
          description: The key, on a line.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            text/plain:
              schema: {type: string}
              example: |
                daybook/5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f+90af5fdd+AZ9hQz1…
        '422': {$ref: '#/components/responses/Invalid'}
        '503': {$ref: '#/components/responses/Unavailable'}

  # Teams

  /teams:
    post:
      operationId: createTeam
      tags: [teams]
      summary: Make a team
      description: Role `admin`.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [name]
              properties:
                name: {$ref: '#/components/schemas/Name'}
                max_concurrent_runs:
                  $ref: '#/components/schemas/TeamConcurrency'
                  default: 50
            example: {name: north clinic, max_concurrent_runs: 20}
      responses:
        '201':
          $ref: '#/components/responses/TeamChanged'
          description: The team.
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    get:
      operationId: listTeams
      tags: [teams]
      summary: List teams
      description: Role `admin`. Newest first.
      parameters:
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/Cursor'
      responses:
        '200':
          description: A page of teams.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema:
                type: object
                required: [items, next_cursor]
                properties:
                  items: {type: array, maxItems: 100, items: {$ref: '#/components/schemas/Team'}}
                  next_cursor: {$ref: '#/components/schemas/NextCursor'}
              example: {items: [], next_cursor: null}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /teams/{team_id}/license:
    parameters:
      - name: team_id
        in: path
        required: true
        description: The team.
        schema: {$ref: '#/components/schemas/Id'}
    patch:
      operationId: setLicense
      tags: [teams]
      summary: Set how many runs of a team may be in progress at once
      description: Role `admin`. What goes beyond waits its turn; runs that are in progress go on. 0 starts nothing.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
        - $ref: '#/components/parameters/IfMatch'
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [max_concurrent_runs]
              properties:
                max_concurrent_runs: {$ref: '#/components/schemas/TeamConcurrency'}
            example: {max_concurrent_runs: 100}
      responses:
        '200': {$ref: '#/components/responses/TeamChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '412': {$ref: '#/components/responses/PreconditionFailed'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /license:
    get:
      operationId: getLicense
      tags: [teams]
      summary: Read what the team may use, and uses
      description: Role `read`.
      responses:
        '200':
          description: The license of the key's team.
          headers:
            ETag: {$ref: '#/components/headers/ETag'}
            Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
          content:
            application/json:
              schema:
                type: object
                required: [team_id, max_concurrent_runs, in_progress, queued]
                properties:
                  team_id: {$ref: '#/components/schemas/Id'}
                  max_concurrent_runs: {$ref: '#/components/schemas/TeamConcurrency'}
                  in_progress: {type: integer, minimum: 0, description: Runs that hold a slot.}
                  queued: {type: integer, minimum: 0, description: Runs that wait.}
              example:
                team_id: 019ac1f5d3a85b1c2d3e4f01
                max_concurrent_runs: 50
                in_progress: 3
                queued: 0
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /api-keys:
    post:
      operationId: createApiKey
      tags: [teams]
      summary: Make a key
      description: |
        Role `admin`. The answer shows the `key`, here only: of its secret a digest is kept. A repeat with the same
        `Idempotency-Key` shows it again.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [team_id, role, name]
              properties:
                team_id: {$ref: '#/components/schemas/Id'}
                role: {$ref: '#/components/schemas/Role'}
                name: {$ref: '#/components/schemas/Name'}
                expires_at:
                  $ref: '#/components/schemas/Time'
                  description: From when on it opens nothing; in the future. Never where it is left out.
            example: {team_id: 019ac1f5d3a85b1c2d3e4f01, role: work, name: worker 1}
      responses:
        '201':
          $ref: '#/components/responses/ApiKeyChanged'
          description: The key.
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    get:
      operationId: listApiKeys
      tags: [teams]
      summary: List keys
      description: Role `admin`. Of all teams or of one, newest first, those that were revoked too.
      parameters:
        - name: team_id
          in: query
          description: Only keys of this team.
          schema: {$ref: '#/components/schemas/Id'}
        - $ref: '#/components/parameters/Limit'
        - $ref: '#/components/parameters/Cursor'
      responses:
        '200':
          description: A page of keys.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema:
                type: object
                required: [items, next_cursor]
                properties:
                  items: {type: array, maxItems: 100, items: {$ref: '#/components/schemas/ApiKey'}}
                  next_cursor: {$ref: '#/components/schemas/NextCursor'}
              example: {items: [], next_cursor: null}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /api-keys/{key_id}:
    parameters:
      - name: key_id
        in: path
        required: true
        description: The key's id, which also stands in its text.
        schema: {$ref: '#/components/schemas/Id'}
    delete:
      operationId: revokeApiKey
      tags: [teams]
      summary: Revoke a key
      description: |
        Role `admin`. It opens nothing from now on, and stays in the list. A second time is 200 without an entry in the
        log. The last admin key without an end cannot be revoked.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      responses:
        '200': {$ref: '#/components/responses/ApiKeyChanged'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '409':
          $ref: '#/components/responses/Conflict'
          description: '`last_administrator`: no other admin key without an end would be left.'
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  # Operation

  /healthz:
    get:
      operationId: getHealth
      tags: [operation]
      summary: Ask whether the process answers
      description: No key needed.
      security: []
      responses:
        '200':
          description: It does.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema:
                type: object
                required: [status]
                properties: {status: {const: ok}}
              example: {status: ok}

  /readyz:
    get:
      operationId: getReadiness
      tags: [operation]
      summary: Ask whether commands are taken and promises kept
      description: No key needed; with one, of any role, the answer has `reasons` and `warnings`.
      security: [{}, {key: []}]
      responses:
        '200':
          description: Ready.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Readiness'}
              example: {status: ready, reasons: [], warnings: []}
        '503':
          description: Not ready.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Readiness'}
              example: {status: not_ready, reasons: ['paused: nothing fires or starts'], warnings: []}

  /metrics:
    get:
      operationId: getMetrics
      tags: [operation]
      summary: Read metrics
      description: Role `admin`. Prometheus' text format, version 0.0.4.
      responses:
        '200':
          description: The metrics.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            text/plain:
              schema: {type: string}
              example: |
                # TYPE daybook_log_position gauge
                daybook_log_position 57
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /session:
    post:
      operationId: signIn
      tags: [operation]
      summary: Sign a browser in
      description: |
        Gives the cookie of a session, which ends after twelve hours, when its key is revoked, or when the service
        starts again. Takes no `Idempotency-Key`.
      security: []
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [key]
              properties: {key: {type: string, minLength: 1, maxLength: 200, description: An API key.}}
      responses:
        '200':
          description: The session.
          headers:
            Set-Cookie:
              description: '`daybook_session`: HttpOnly, SameSite=Strict, and Secure under TLS.'
              schema: {type: string}
            Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Session'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '503': {$ref: '#/components/responses/Unavailable'}
    get:
      operationId: getSession
      tags: [operation]
      summary: Read the browser's session
      description: 401 where there is none.
      security: [{session: []}]
      responses:
        '200':
          description: The session.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Session'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '422': {$ref: '#/components/responses/Invalid'}
        '503': {$ref: '#/components/responses/Unavailable'}
    delete:
      operationId: signOut
      tags: [operation]
      summary: Sign the browser out
      description: Needs `Daybook-CSRF`, as every change with a session does. Where there is no session it does nothing.
      security: [{}, {session: []}]
      responses:
        '204':
          description: The session has ended.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
        '403': {$ref: '#/components/responses/Forbidden'}
        '422': {$ref: '#/components/responses/Invalid'}

  /openapi.yaml:
    get:
      operationId: getOpenApi
      tags: [operation]
      summary: Read this description
      description: No key needed.
      security: []
      responses:
        '200':
          description: This document.
          headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
          content:
            application/yaml:
              schema: {type: object}
        '422': {$ref: '#/components/responses/Invalid'}

  /pause:
    post:
      operationId: pauseService
      tags: [operation]
      summary: Pause the service
      description: |
        Role `admin`. Nothing fires, starts or is reaped until `POST /resume`; commands are taken, and claims are 503
        (`paused`). Where it is paused already, 200 without an entry in the log.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody: {$ref: '#/components/requestBodies/Nothing'}
      responses:
        '200': {$ref: '#/components/responses/Told'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /resume:
    post:
      operationId: resumeService
      tags: [operation]
      summary: Go on after a pause
      description: |
        Role `admin`. What came due meanwhile fires now, in due order. Also takes a copy into service. Where nothing is
        paused, 200 without an entry in the log.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody: {$ref: '#/components/requestBodies/Nothing'}
      responses:
        '200': {$ref: '#/components/responses/Told'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /clock/trust:
    post:
      operationId: trustClock
      tags: [operation]
      summary: Say that the clock is right after a jump
      description: Role `admin`. Ends `clock_suspect`.
      parameters:
        - $ref: '#/components/parameters/IdempotencyKey'
      requestBody: {$ref: '#/components/requestBodies/Nothing'}
      responses:
        '200': {$ref: '#/components/responses/Told'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

  /rebuild:
    post:
      operationId: startRebuild
      tags: [operation]
      summary: Build the projections anew from the log
      description: |
        Role `admin`. Beside the running service. While one is under way, tells how that one stands. Makes no entry in the
        log, so an `Idempotency-Key` has no effect.
      requestBody: {$ref: '#/components/requestBodies/Nothing'}
      responses:
        '202': {$ref: '#/components/responses/Rebuild'}
        '400': {$ref: '#/components/responses/Malformed'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '413': {$ref: '#/components/responses/TooLarge'}
        '415': {$ref: '#/components/responses/UnsupportedMediaType'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}
    get:
      operationId: getRebuild
      tags: [operation]
      summary: Read how the rebuild stands
      description: Role `admin`. The one under way, or the last one since the process started; 404 before there was one.
      responses:
        '200': {$ref: '#/components/responses/Rebuild'}
        '401': {$ref: '#/components/responses/Unauthorized'}
        '403': {$ref: '#/components/responses/Forbidden'}
        '404': {$ref: '#/components/responses/NotFound'}
        '422': {$ref: '#/components/responses/Invalid'}
        '429': {$ref: '#/components/responses/RateLimited'}
        '503': {$ref: '#/components/responses/Unavailable'}

components:
  securitySchemes:
    key:
      type: http
      scheme: bearer
      bearerFormat: dbk_<key id>_<secret and checksum>
      description: |
        An API key. The first one, an admin key, is written to `admin.key` in the data directory at the first start;
        `POST /api-keys` makes others.
    session:
      type: apiKey
      in: cookie
      name: daybook_session
      description: |
        The cookie of `POST /session`, which does what its key does on every operation. With it, requests other than GET
        carry the session's `csrf_token` in `Daybook-CSRF`; otherwise 403 (`csrf`).

  parameters:
    IdempotencyKey:
      name: Idempotency-Key
      in: header
      description: Names the request, so that a repeat has no second effect. 1 to 255 visible ASCII characters.
      schema: {type: string, pattern: '^[!-~]{1,255}$'}
      example: call-1
    IfMatch:
      name: If-Match
      in: header
      description: The object's revisions at which the command is to be done, as in `ETag`; `*` for any. Weak tags never match.
      schema: {$ref: '#/components/schemas/EntityTags'}
      example: '"3"'
    IfMatchWorkflow:
      name: If-Match
      in: header
      description: The revisions of the workflow at which the command is to be done, as in its `ETag`; `*` for any.
      schema: {$ref: '#/components/schemas/EntityTags'}
      example: '"3"'
    IfMatchTrigger:
      name: If-Match
      in: header
      description: The revisions of the trigger at which the command is to be done, as in its `ETag`; `*` for any.
      schema: {$ref: '#/components/schemas/EntityTags'}
      example: '"3"'
    Limit:
      name: limit
      in: query
      description: The most items of the page. A page also ends at 4 MiB of payloads.
      schema: {type: integer, minimum: 1, maximum: 100, default: 50}
    Cursor:
      name: cursor
      in: query
      description: Where the page begins - the `next_cursor` of the page before, with the same filters.
      schema: {type: string, minLength: 2, maxLength: 256, pattern: '^([0-9a-f]{2})+$'}
    PositionCursor:
      name: cursor
      in: query
      description: Where the page begins - the `next_cursor` of the page before.
      schema: {type: string, pattern: '^(0|[1-9][0-9]{0,18})$'}
    AsOf:
      name: as_of
      in: query
      description: |
        The moment to look back to, a position of the log or a time; neither beyond the log nor in the future. Of a list
        with `order=created` only. 422, with a `cursor` to go on behind it, where a thing has more than 10,000 entries.
      schema:
        anyOf:
          - {type: integer, minimum: 1}
          - {type: string, format: date-time}
      example: '2030-03-01T08:00:00Z'
    WorkflowId:
      name: workflow_id
      in: path
      required: true
      description: The workflow.
      schema: {$ref: '#/components/schemas/Id'}
    Version:
      name: version
      in: path
      required: true
      description: The version's number; 0 is the draft.
      schema: {$ref: '#/components/schemas/VersionNumber'}
    ScheduleId:
      name: schedule_id
      in: path
      required: true
      description: The schedule.
      schema: {$ref: '#/components/schemas/Id'}
    OperationId:
      name: operation_id
      in: path
      required: true
      description: The operation.
      schema: {$ref: '#/components/schemas/Id'}
    RunId: {name: run_id, in: path, required: true, description: The run., schema: {$ref: '#/components/schemas/Id'}}
    TriggerId:
      name: trigger_id
      in: path
      required: true
      description: The trigger.
      schema: {$ref: '#/components/schemas/Id'}
    RefusalId:
      name: refusal_id
      in: path
      required: true
      description: The refusal.
      schema: {$ref: '#/components/schemas/Id'}
    SubscriptionId:
      name: subscription_id
      in: path
      required: true
      description: The subscription.
      schema: {$ref: '#/components/schemas/Id'}
    DeliveryId:
      name: delivery_id
      in: path
      required: true
      description: The delivery.
      schema: {$ref: '#/components/schemas/Id'}
    Position:
      name: position
      in: path
      required: true
      description: The entry's position; the first one is 1.
      schema: {type: integer, minimum: 1}
    OfWorkflow:
      name: workflow_id
      in: query
      description: Only what belongs to this workflow.
      schema: {$ref: '#/components/schemas/Id'}
    ScheduleStatus:
      name: status
      in: query
      description: Only schedules of this status.
      schema: {$ref: '#/components/schemas/ScheduleStatus'}
    DedupKey:
      name: dedup_key
      in: query
      description: Only schedules with this key.
      schema: {type: string}
    FromScheduledTime:
      name: from
      in: query
      description: Only schedules whose `scheduled_time` is this or later.
      schema: {$ref: '#/components/schemas/Time'}
    ToScheduledTime:
      name: to
      in: query
      description: Only schedules whose `scheduled_time` is earlier.
      schema: {$ref: '#/components/schemas/Time'}
    ScheduleOrder:
      name: order
      in: query
      description: '`created` is newest first, `scheduled_time` earliest first.'
      schema: {type: string, enum: [created, scheduled_time], default: created}
    LogTeam:
      name: team_id
      in: query
      description: Only entries of this team. Role `admin` alone knows this parameter.
      schema: {$ref: '#/components/schemas/Id'}
    LogSchedule:
      name: schedule_id
      in: query
      description: Only entries about this schedule.
      schema: {$ref: '#/components/schemas/Id'}
    LogRun:
      name: run_id
      in: query
      description: Only entries about this run.
      schema: {$ref: '#/components/schemas/Id'}
    LogActor:
      name: actor
      in: query
      description: Only entries that this actor asked for; `key`, `system` and `trigger` are all of a kind.
      schema: {type: string, minLength: 1}
      example: system:timer
    LogCommand:
      name: command
      in: query
      description: Only entries of this command.
      schema: {$ref: '#/components/schemas/CommandName'}
    LogEvent:
      name: event
      in: query
      description: Only entries with this event.
      schema: {$ref: '#/components/schemas/EventName'}
    LogFrom:
      name: from
      in: query
      description: Only entries recorded then or later.
      schema: {$ref: '#/components/schemas/Time'}
    LogTo:
      name: to
      in: query
      description: Only entries recorded earlier.
      schema: {$ref: '#/components/schemas/Time'}
    Payloads:
      name: payloads
      in: query
      description: Whether entries show the payloads that they brought, with their salts.
      schema: {type: boolean, default: false}

  requestBodies:
    Nothing:
      description: Nothing, or an empty object.
      required: false
      content:
        application/json:
          schema: {type: object, additionalProperties: false, maxProperties: 0}
          example: {}
    Erasure:
      required: false
      content:
        application/json:
          schema:
            type: object
            additionalProperties: false
            properties:
              force: {type: boolean, default: false, description: Also where it has not ended.}
          example: {force: true}
    AttemptOnly:
      required: true
      content:
        application/json:
          schema:
            type: object
            additionalProperties: false
            required: [attempt]
            properties:
              attempt: {$ref: '#/components/schemas/Attempt'}
          example: {attempt: 1}
    Hook:
      description: The message. It becomes the run's input; none is `null`.
      required: false
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Payload'}
          example: {patient: 9}
        application/x-www-form-urlencoded:
          schema: {type: object, additionalProperties: {type: string}}
          example: {patient: '9'}
        text/plain:
          schema: {type: string}
          example: patient 9

  headers:
    RequestId:
      description: Names this request, in the log of entries and in the service's own.
      required: true
      schema: {type: string, pattern: '^[0-9a-f]{32}$'}
    ETag:
      description: The object's revision, for `If-Match`.
      required: true
      schema: {type: string, pattern: '^"[0-9]+"$'}
    Position:
      description: The position of the command's entry in the log; where nothing changed, of the object's last one.
      required: true
      schema: {type: integer, minimum: 1}
    PositionOfLast:
      description: The position of the entry that started the last of the runs; absent where there is none.
      schema: {type: integer, minimum: 1}
    PositionOfRefusal:
      description: The position of the entry that keeps the message; absent where it is not kept.
      schema: {type: integer, minimum: 1}
    Replayed:
      description: '`true` where this answers an earlier request again.'
      schema: {const: 'true'}
    Location:
      description: The operation's path.
      required: true
      schema: {type: string, pattern: '^/operations/[0-9a-f]{24}$'}
    RetryAfter:
      description: Seconds after which to ask again.
      required: true
      schema: {type: integer, minimum: 1}
    WwwAuthenticate:
      description: That a key is needed.
      required: true
      schema: {const: Bearer}

  responses:
    WorkflowMade:
      description: The workflow, with its signing secret.
      headers:
        ETag: {$ref: '#/components/headers/ETag'}
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Workflow'}
          examples: {made: {$ref: '#/components/examples/WorkflowMade'}}
      links:
        getWorkflow: {$ref: '#/components/links/getWorkflow'}
        updateWorkflow: {$ref: '#/components/links/updateWorkflow'}
        deleteWorkflow: {$ref: '#/components/links/deleteWorkflow'}
        setWorkflowConcurrency: {$ref: '#/components/links/setWorkflowConcurrency'}
        rotateWorkflowSecret: {$ref: '#/components/links/rotateWorkflowSecret'}
        getWorkflowHistory: {$ref: '#/components/links/getWorkflowHistory'}
        exportWorkflow: {$ref: '#/components/links/exportWorkflow'}
        saveVersion: {$ref: '#/components/links/saveVersion'}
        listVersions: {$ref: '#/components/links/listVersions'}
        editDraft: {$ref: '#/components/links/editDraft'}
        createSchedule: {$ref: '#/components/links/createSchedule'}
        createSchedules: {$ref: '#/components/links/createSchedules'}
        listWorkflowSchedules: {$ref: '#/components/links/listWorkflowSchedules'}
        executeWorkflow: {$ref: '#/components/links/executeWorkflow'}
        createTrigger: {$ref: '#/components/links/createTrigger'}
        createSubscription: {$ref: '#/components/links/createSubscription'}
    Workflow:
      description: The workflow.
      headers:
        ETag: {$ref: '#/components/headers/ETag'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Workflow'}
          examples: {read: {$ref: '#/components/examples/Workflow'}}
      links:
        getWorkflow: {$ref: '#/components/links/getWorkflow'}
        updateWorkflow: {$ref: '#/components/links/updateWorkflow'}
        deleteWorkflow: {$ref: '#/components/links/deleteWorkflow'}
        setWorkflowConcurrency: {$ref: '#/components/links/setWorkflowConcurrency'}
        rotateWorkflowSecret: {$ref: '#/components/links/rotateWorkflowSecret'}
        getWorkflowHistory: {$ref: '#/components/links/getWorkflowHistory'}
        exportWorkflow: {$ref: '#/components/links/exportWorkflow'}
        saveVersion: {$ref: '#/components/links/saveVersion'}
        listVersions: {$ref: '#/components/links/listVersions'}
        editDraft: {$ref: '#/components/links/editDraft'}
        createSchedule: {$ref: '#/components/links/createSchedule'}
        createSchedules: {$ref: '#/components/links/createSchedules'}
        listWorkflowSchedules: {$ref: '#/components/links/listWorkflowSchedules'}
        executeWorkflow: {$ref: '#/components/links/executeWorkflow'}
        createTrigger: {$ref: '#/components/links/createTrigger'}
        createSubscription: {$ref: '#/components/links/createSubscription'}
    WorkflowChanged:
      description: The workflow; with its signing secret, where that was made.
      headers:
        ETag: {$ref: '#/components/headers/ETag'}
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Workflow'}
          examples: {changed: {$ref: '#/components/examples/Workflow'}}
      links:
        getWorkflow: {$ref: '#/components/links/getWorkflow'}
        updateWorkflow: {$ref: '#/components/links/updateWorkflow'}
        deleteWorkflow: {$ref: '#/components/links/deleteWorkflow'}
        setWorkflowConcurrency: {$ref: '#/components/links/setWorkflowConcurrency'}
    VersionMade:
      description: The version.
      headers:
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Version'}
          examples: {saved: {$ref: '#/components/examples/Version'}}
      links:
        getVersion: {$ref: '#/components/links/getVersion'}
        renameVersion: {$ref: '#/components/links/renameVersion'}
        activateVersion: {$ref: '#/components/links/activateVersion'}
        deleteVersion: {$ref: '#/components/links/deleteVersion'}
        diffVersions: {$ref: '#/components/links/diffVersions'}
    Version:
      description: The version.
      headers:
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Version'}
          examples: {read: {$ref: '#/components/examples/Version'}}
      links:
        getVersion: {$ref: '#/components/links/getVersion'}
        renameVersion: {$ref: '#/components/links/renameVersion'}
        activateVersion: {$ref: '#/components/links/activateVersion'}
        deleteVersion: {$ref: '#/components/links/deleteVersion'}
        diffVersions: {$ref: '#/components/links/diffVersions'}
    VersionChanged:
      description: The version.
      headers:
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Version'}
          examples: {changed: {$ref: '#/components/examples/Version'}}
      links:
        getVersion: {$ref: '#/components/links/getVersion'}
        renameVersion: {$ref: '#/components/links/renameVersion'}
        activateVersion: {$ref: '#/components/links/activateVersion'}
        deleteVersion: {$ref: '#/components/links/deleteVersion'}
        diffVersions: {$ref: '#/components/links/diffVersions'}
    ScheduleMade:
      description: The schedule.
      headers:
        ETag: {$ref: '#/components/headers/ETag'}
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Schedule'}
          examples: {made: {$ref: '#/components/examples/Schedule'}}
      links:
        getSchedule: {$ref: '#/components/links/getSchedule'}
        updateSchedule: {$ref: '#/components/links/updateSchedule'}
        cancelSchedule: {$ref: '#/components/links/cancelSchedule'}
        getScheduleHistory: {$ref: '#/components/links/getScheduleHistory'}
        eraseSchedule: {$ref: '#/components/links/eraseSchedule'}
    Schedule:
      description: The schedule.
      headers:
        ETag: {$ref: '#/components/headers/ETag'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Schedule'}
          examples: {read: {$ref: '#/components/examples/Schedule'}}
      links:
        getSchedule: {$ref: '#/components/links/getSchedule'}
        updateSchedule: {$ref: '#/components/links/updateSchedule'}
        cancelSchedule: {$ref: '#/components/links/cancelSchedule'}
        getScheduleHistory: {$ref: '#/components/links/getScheduleHistory'}
        eraseSchedule: {$ref: '#/components/links/eraseSchedule'}
    ScheduleChanged:
      description: The schedule.
      headers:
        ETag: {$ref: '#/components/headers/ETag'}
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Schedule'}
          examples: {changed: {$ref: '#/components/examples/Schedule'}}
      links:
        getSchedule: {$ref: '#/components/links/getSchedule'}
        updateSchedule: {$ref: '#/components/links/updateSchedule'}
        cancelSchedule: {$ref: '#/components/links/cancelSchedule'}
        getScheduleHistory: {$ref: '#/components/links/getScheduleHistory'}
        eraseSchedule: {$ref: '#/components/links/eraseSchedule'}
    Schedules:
      description: A page of schedules.
      headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
      content:
        application/json:
          schema:
            type: object
            required: [items, next_cursor]
            properties:
              items: {type: array, maxItems: 100, items: {$ref: '#/components/schemas/Schedule'}}
              next_cursor: {$ref: '#/components/schemas/NextCursor'}
          example: {items: [], next_cursor: null}
    Matched:
      description: How many pending schedules match. Only for a dry run.
      headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
      content:
        application/json:
          schema:
            type: object
            required: [matched]
            properties: {matched: {type: integer, minimum: 0}}
          example: {matched: 140}
    OperationStarted:
      description: An operation, which goes on after this answer.
      headers:
        Location: {$ref: '#/components/headers/Location'}
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Operation'}
          examples: {started: {$ref: '#/components/examples/Operation'}}
      links:
        getOperation: {$ref: '#/components/links/getOperation'}
    Run:
      description: The run.
      headers:
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Run'}
          examples: {read: {$ref: '#/components/examples/Run'}}
      links:
        getRun: {$ref: '#/components/links/getRun'}
        explainRun: {$ref: '#/components/links/explainRun'}
        getRunHistory: {$ref: '#/components/links/getRunHistory'}
        cancelRun: {$ref: '#/components/links/cancelRun'}
        eraseRun: {$ref: '#/components/links/eraseRun'}
        completeRun: {$ref: '#/components/links/completeRun'}
        failRun: {$ref: '#/components/links/failRun'}
        heartbeatRun: {$ref: '#/components/links/heartbeatRun'}
        releaseRun: {$ref: '#/components/links/releaseRun'}
    RunChanged:
      description: The run.
      headers:
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Run'}
          examples: {changed: {$ref: '#/components/examples/Run'}}
      links:
        getRun: {$ref: '#/components/links/getRun'}
        explainRun: {$ref: '#/components/links/explainRun'}
        getRunHistory: {$ref: '#/components/links/getRunHistory'}
        cancelRun: {$ref: '#/components/links/cancelRun'}
        eraseRun: {$ref: '#/components/links/eraseRun'}
        completeRun: {$ref: '#/components/links/completeRun'}
        failRun: {$ref: '#/components/links/failRun'}
        heartbeatRun: {$ref: '#/components/links/heartbeatRun'}
        releaseRun: {$ref: '#/components/links/releaseRun'}
    RunAnswered:
      description: The run, as this left it.
      headers:
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Run'}
          examples: {answered: {$ref: '#/components/examples/Run'}}
      links:
        getRun: {$ref: '#/components/links/getRun'}
        explainRun: {$ref: '#/components/links/explainRun'}
        getRunHistory: {$ref: '#/components/links/getRunHistory'}
    TriggerMade:
      description: The trigger, with its secret.
      headers:
        ETag: {$ref: '#/components/headers/ETag'}
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Trigger'}
          examples: {made: {$ref: '#/components/examples/Trigger'}}
      links:
        getTrigger: {$ref: '#/components/links/getTrigger'}
        updateTrigger: {$ref: '#/components/links/updateTrigger'}
        deleteTrigger: {$ref: '#/components/links/deleteTrigger'}
        rotateTriggerSecret: {$ref: '#/components/links/rotateTriggerSecret'}
        listRefusals: {$ref: '#/components/links/listRefusals'}
        receiveHook: {$ref: '#/components/links/receiveHook'}
        receiveHookByPath: {$ref: '#/components/links/receiveHookByPath'}
    Trigger:
      description: The trigger.
      headers:
        ETag: {$ref: '#/components/headers/ETag'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Trigger'}
          examples: {read: {$ref: '#/components/examples/Trigger'}}
      links:
        getTrigger: {$ref: '#/components/links/getTrigger'}
        updateTrigger: {$ref: '#/components/links/updateTrigger'}
        deleteTrigger: {$ref: '#/components/links/deleteTrigger'}
        rotateTriggerSecret: {$ref: '#/components/links/rotateTriggerSecret'}
        listRefusals: {$ref: '#/components/links/listRefusals'}
    TriggerChanged:
      description: The trigger; with its secret, where that was made.
      headers:
        ETag: {$ref: '#/components/headers/ETag'}
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Trigger'}
          examples: {changed: {$ref: '#/components/examples/Trigger'}}
      links:
        getTrigger: {$ref: '#/components/links/getTrigger'}
        updateTrigger: {$ref: '#/components/links/updateTrigger'}
        deleteTrigger: {$ref: '#/components/links/deleteTrigger'}
        rotateTriggerSecret: {$ref: '#/components/links/rotateTriggerSecret'}
        listRefusals: {$ref: '#/components/links/listRefusals'}
    HookTaken:
      description: The message became a run.
      headers:
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema:
            type: object
            required: [run_id]
            properties: {run_id: {$ref: '#/components/schemas/Id'}}
          example: {run_id: 019ac1f5d3a85b1c2d3e4f52}
      links:
        run:
          operationId: getRun
          parameters: {run_id: $response.body#/run_id}
    SubscriptionMade:
      description: The subscription, with its signing secret.
      headers:
        ETag: {$ref: '#/components/headers/ETag'}
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Subscription'}
          examples: {made: {$ref: '#/components/examples/Subscription'}}
      links:
        getSubscription: {$ref: '#/components/links/getSubscription'}
        updateSubscription: {$ref: '#/components/links/updateSubscription'}
        deleteSubscription: {$ref: '#/components/links/deleteSubscription'}
        rotateSubscriptionSecret: {$ref: '#/components/links/rotateSubscriptionSecret'}
        replayDeliveries: {$ref: '#/components/links/replayDeliveries'}
    Subscription:
      description: The subscription.
      headers:
        ETag: {$ref: '#/components/headers/ETag'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Subscription'}
          examples: {read: {$ref: '#/components/examples/Subscription'}}
      links:
        getSubscription: {$ref: '#/components/links/getSubscription'}
        updateSubscription: {$ref: '#/components/links/updateSubscription'}
        deleteSubscription: {$ref: '#/components/links/deleteSubscription'}
        rotateSubscriptionSecret: {$ref: '#/components/links/rotateSubscriptionSecret'}
        replayDeliveries: {$ref: '#/components/links/replayDeliveries'}
    SubscriptionChanged:
      description: The subscription; with its signing secret, where that was made.
      headers:
        ETag: {$ref: '#/components/headers/ETag'}
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Subscription'}
          examples: {changed: {$ref: '#/components/examples/Subscription'}}
      links:
        getSubscription: {$ref: '#/components/links/getSubscription'}
        updateSubscription: {$ref: '#/components/links/updateSubscription'}
        deleteSubscription: {$ref: '#/components/links/deleteSubscription'}
        rotateSubscriptionSecret: {$ref: '#/components/links/rotateSubscriptionSecret'}
        replayDeliveries: {$ref: '#/components/links/replayDeliveries'}
    TeamChanged:
      description: The team.
      headers:
        ETag: {$ref: '#/components/headers/ETag'}
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Team'}
          examples: {changed: {$ref: '#/components/examples/Team'}}
      links:
        setLicense: {$ref: '#/components/links/setLicense'}
        createApiKey: {$ref: '#/components/links/createApiKey'}
    ApiKeyChanged:
      description: The key; with its text, where it was made.
      headers:
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/ApiKey'}
          examples: {made: {$ref: '#/components/examples/ApiKey'}}
      links:
        revokeApiKey: {$ref: '#/components/links/revokeApiKey'}
    Deleted:
      description: It is deleted.
      headers:
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Deleted'}
          examples: {deleted: {$ref: '#/components/examples/Deleted'}}
    History:
      description: A page of entries.
      headers: {Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}}
      content:
        application/json:
          schema:
            type: object
            required: [items, next_cursor]
            properties:
              items: {type: array, maxItems: 100, items: {$ref: '#/components/schemas/Entry'}}
              next_cursor: {$ref: '#/components/schemas/NextPosition'}
          example: {items: [], next_cursor: '41'}
    Told:
      description: How the service is now.
      headers:
        Daybook-Position: {$ref: '#/components/headers/Position'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema:
            type: object
            required: [paused]
            properties: {paused: {type: boolean}}
          example: {paused: false}
    Rebuild:
      description: How the rebuild stands.
      headers:
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Rebuild'}
          examples: {finished: {$ref: '#/components/examples/Rebuild'}}
    Malformed:
      description: |
        `malformed`: the body is not JSON, or `Idempotency-Key` or `If-Match` has not its form.
      headers:
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/malformed
            title: The request is malformed
            status: 400
            detail: 'the body is not JSON: empty body at byte 0'
            code: malformed
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
    Unauthorized:
      description: |
        `unauthorized`: no key, or one that is wrong, revoked or past its end.
      headers:
        WWW-Authenticate: {$ref: '#/components/headers/WwwAuthenticate'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/unauthorized
            title: A valid key is needed
            status: 401
            detail: 'send `Authorization: Bearer dbk_…` with a key that is not revoked or expired'
            code: unauthorized
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
    Forbidden:
      description: |
        `forbidden`: the key's role may not do this (`required_role`).
      headers:
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/forbidden
            title: The key may not do this
            status: 403
            detail: this needs a key of the role write
            code: forbidden
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
            required_role: write
    NotFound:
      description: |
        `not_found`: the team has nothing of this id.
      headers:
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/not-found
            title: There is no such thing
            status: 404
            detail: there is no such schedule
            code: not_found
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
    Conflict:
      description: |
        The state of a thing does not allow it; the answer says which (`position` is its last entry).
      headers:
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/not-pending
            title: The schedule is not pending
            status: 409
            detail: the schedule is in_progress; it fired as run 019ac1f5d3a85b1c2d3e4f52
            code: not_pending
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
            schedule_status: in_progress
            position: 61
            run_id: 019ac1f5d3a85b1c2d3e4f52
    NotCurrent:
      description: |
        `run_state`: the run is not in progress (`run_status`). `stale_attempt`: it is at another attempt (`attempt`).
        Either way the worker's attempt counts no longer, and its work is to stop.
      headers:
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/stale-attempt
            title: The attempt is not current
            status: 409
            detail: the run is at attempt 2
            code: stale_attempt
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
            attempt: 2
            position: 61
    PreconditionFailed:
      description: |
        `revision_mismatch`: `If-Match` names another revision (`revision` is the current one).
      headers:
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/revision-mismatch
            title: The object has changed
            status: 412
            detail: its revision is 4
            code: revision_mismatch
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
            revision: 4
    TooLarge:
      description: |
        `too_large`: the body, or a payload in it, has too many bytes.
      headers:
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/too-large
            title: The request is too large
            status: 413
            detail: more than 262144 bytes
            code: too_large
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
            errors: [{pointer: /run_input, message: has 300000 bytes}]
    UnsupportedMediaType:
      description: |
        `unsupported_media_type`: the body is not of a type listed here. `unsupported_content_encoding`: it is compressed.
      headers:
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/unsupported-media-type
            title: The body must be JSON
            status: 415
            detail: 'send `Content-Type: application/json`'
            code: unsupported_media_type
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
    Invalid:
      description: |
        `invalid`: each value that is wrong is named in `errors`, fields and query parameters that are not known too.
        `idempotency_key_reused`: the key was used for another request.
      headers:
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/invalid
            title: A value is not valid
            status: 422
            detail: /scheduled_time must lie in the future; ?limt is not a known parameter
            code: invalid
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
            errors:
              - {pointer: /scheduled_time, message: must lie in the future}
              - {pointer: '?limt', message: is not a known parameter}
    RateLimited:
      description: |
        `rate_limited`: the team asks more often than the service allows, where it sets a limit.
      headers:
        Retry-After: {$ref: '#/components/headers/RetryAfter'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/rate-limited
            title: The team asks too much
            status: 429
            detail: at most 200 requests a second
            code: rate_limited
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
    Unavailable:
      description: |
        Not now; ask again after `Retry-After`, with the same `Idempotency-Key`.
        - `overloaded`, `stopping`: too much waits, or the process ends; nothing was written.
        - `outcome_unknown`: whether it took effect is not known.
        - `clock_suspect`: the machine's clock jumped. `disk_full`: the disk is nearly full. Nothing was written.
        - `inconsistent`: the projections disagree with the log and must be rebuilt.
        - `replaying`: the log is being replayed (`percent`).
        - `paused`: of claims, while the service is paused; of commands, while it is a copy.
      headers:
        Retry-After: {$ref: '#/components/headers/RetryAfter'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/overloaded
            title: Not now
            status: 503
            detail: too many commands wait; nothing was written
            code: overloaded
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
    HookRefused:
      description: |
        `unauthorized`: there is no such trigger, it is disabled, or the call does not prove itself to it. Which of these,
        only the trigger's owner sees.
      headers:
        WWW-Authenticate: {$ref: '#/components/headers/WwwAuthenticate'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/unauthorized
            title: The call is not let in
            status: 401
            detail: 'there is no such trigger, or the call does not prove itself to it'
            code: unauthorized
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
    HookMalformed:
      description: |
        `malformed`: the message is not JSON; it is kept (`refusal_id`).
      headers:
        Daybook-Position: {$ref: '#/components/headers/PositionOfRefusal'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/malformed
            title: The message cannot be used
            status: 400
            detail: 'the body is not JSON: empty body at byte 0'
            code: malformed
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
            refusal_id: 019ac1f5d3a85b1c2d3e4f60
    HookTooLarge:
      description: |
        `too_large`: the body has too many bytes; or the input made of it has, and is kept (`refusal_id`).
      headers:
        Daybook-Position: {$ref: '#/components/headers/PositionOfRefusal'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/too-large
            title: The message cannot be used
            status: 413
            detail: the input has more than 262144 bytes
            code: too_large
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
            refusal_id: 019ac1f5d3a85b1c2d3e4f60
    HookUnsupported:
      description: |
        `unsupported_media_type`: the message is of a type that the trigger does not take; it is kept (`refusal_id`).
        `unsupported_content_encoding`: it is compressed, and not kept.
      headers:
        Daybook-Position: {$ref: '#/components/headers/PositionOfRefusal'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/unsupported-media-type
            title: The message cannot be used
            status: 415
            detail: the body is not JSON
            code: unsupported_media_type
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
            refusal_id: 019ac1f5d3a85b1c2d3e4f60
    HookUnusable:
      description: |
        `workflow_gone`, `version_gone`: the trigger's workflow or version is deleted; the message is kept (`refusal_id`).
      headers:
        Daybook-Position: {$ref: '#/components/headers/PositionOfRefusal'}
        Idempotent-Replayed: {$ref: '#/components/headers/Replayed'}
        Daybook-Request-Id: {$ref: '#/components/headers/RequestId'}
      content:
        application/problem+json:
          schema: {$ref: '#/components/schemas/Problem'}
          example:
            type: /problems/workflow-gone
            title: The message cannot be used
            status: 422
            detail: the workflow is gone
            code: workflow_gone
            request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
            refusal_id: 019ac1f5d3a85b1c2d3e4f60

  examples:
    WorkflowMade:
      summary: A workflow that was just made
      value:
        id: 019ac1f5d3a85b1c2d3e4f50
        team_id: 019ac1f5d3a85b1c2d3e4f01
        name: call
        description: null
        active_version: 0
        latest_version: 0
        run_timeout_seconds: 3600
        retry: {max_attempts: 1, initial_backoff_seconds: 10, max_backoff_seconds: 300}
        max_concurrent_runs: 0
        paused: false
        revision: 1
        created_at: '2030-02-28T12:00:00Z'
        updated_at: '2030-02-28T12:00:00Z'
        created_by: key:019ac1f5d3a85b1c2d3e4f02
        updated_by: key:019ac1f5d3a85b1c2d3e4f02
        secret: whsec_3vYw8KcDk1oQf2bJ5m9xZr7uQ4sT6vWnA0bCdEfGhIk=
    Workflow:
      summary: A workflow
      value:
        id: 019ac1f5d3a85b1c2d3e4f50
        team_id: 019ac1f5d3a85b1c2d3e4f01
        name: call
        description: null
        active_version: 1
        latest_version: 1
        run_timeout_seconds: 3600
        retry: {max_attempts: 1, initial_backoff_seconds: 10, max_backoff_seconds: 300}
        max_concurrent_runs: 20
        paused: false
        revision: 3
        created_at: '2030-02-28T12:00:00Z'
        updated_at: '2030-02-28T12:30:00.25Z'
        created_by: key:019ac1f5d3a85b1c2d3e4f02
        updated_by: key:019ac1f5d3a85b1c2d3e4f02
    Version:
      summary: A version
      value:
        workflow_id: 019ac1f5d3a85b1c2d3e4f50
        team_id: 019ac1f5d3a85b1c2d3e4f01
        version_number: 1
        version_name: before the holidays
        source_version_number: 0
        is_active: true
        definition: {executor: {type: echo, delay_ms: 100}}
        created_at: '2030-02-28T12:30:00.25Z'
        updated_at: '2030-02-28T12:30:00.25Z'
        created_by: key:019ac1f5d3a85b1c2d3e4f02
        updated_by: key:019ac1f5d3a85b1c2d3e4f02
    Schedule:
      summary: A pending schedule
      value:
        id: 019ac1f5d3a85b1c2d3e4f51
        team_id: 019ac1f5d3a85b1c2d3e4f01
        workflow_id: 019ac1f5d3a85b1c2d3e4f50
        scheduled_time: '2030-03-01T08:00:00Z'
        status: pending
        run_input: {patient: 7}
        version: null
        scheduled_by_name: Front desk
        expires_at: '2030-03-01T10:00:00Z'
        priority: 8
        dedup_key: reminder-7
        run_id: null
        error_message: null
        fired_at: null
        lateness_ms: null
        revision: 1
        created_at: '2030-02-28T13:00:00Z'
        updated_at: '2030-02-28T13:00:00Z'
        created_by: key:019ac1f5d3a85b1c2d3e4f02
        updated_by: key:019ac1f5d3a85b1c2d3e4f02
    Operation:
      summary: An operation under way
      value:
        id: 019ac1f5d3a85b1c2d3e4f53
        team_id: 019ac1f5d3a85b1c2d3e4f01
        task: modify
        filter: {workflow_id: 019ac1f5d3a85b1c2d3e4f50}
        changes: {shift_seconds: 3600}
        status: running
        failure: null
        matched: 140
        changed: 64
        unchanged: 0
        refused: 1
        refusals:
          - {id: 019ac1f5d3a85b1c2d3e4f51, code: not_pending, detail: the schedule is in_progress}
        started_position: 58
        finished_at: null
        created_at: '2030-02-28T14:00:00Z'
        updated_at: '2030-02-28T14:00:00.1Z'
        created_by: key:019ac1f5d3a85b1c2d3e4f02
        updated_by: key:019ac1f5d3a85b1c2d3e4f02
    Run:
      summary: A run that has ended
      value:
        id: 019ac1f5d3a85b1c2d3e4f52
        team_id: 019ac1f5d3a85b1c2d3e4f01
        workflow_id: 019ac1f5d3a85b1c2d3e4f50
        version: 0
        mode: manual
        status: completed
        schedule_id: null
        trigger_id: null
        scheduled_time: null
        run_input: {patient: 8}
        output: {patient: 8}
        error: null
        attempt: 1
        tries: 1
        priority: 9
        expires_at: null
        fired_at: null
        queued_at: '2030-03-01T08:00:00Z'
        not_before: null
        first_started_at: '2030-03-01T08:00:00.002Z'
        started_at: '2030-03-01T08:00:00.002Z'
        deadline: '2030-03-01T09:00:00.002Z'
        lease_expires_at: null
        finished_at: '2030-03-01T08:00:00.005Z'
        durations: {timer_lag_ms: null, slot_wait_ms: 2, run_ms: 3}
        worker: null
        created_at: '2030-03-01T08:00:00Z'
        updated_at: '2030-03-01T08:00:00.005Z'
        created_by: key:019ac1f5d3a85b1c2d3e4f02
        updated_by: system:dispatcher
    Trigger:
      summary: A trigger of the kind webhook
      value:
        id: 019ac1f5d3a85b1c2d3e4f54
        team_id: 019ac1f5d3a85b1c2d3e4f01
        workflow_id: 019ac1f5d3a85b1c2d3e4f50
        kind: webhook
        name: pushes
        version: null
        enabled: true
        verification:
          type: hmac
          preset: github
          header: X-Hub-Signature-256
          algorithm: sha256
          prefix: sha256=
          encoding: hex
        deduplicate_by: {header: X-GitHub-Delivery}
        deduplication_days: 15
        accepts_text: false
        path: /hooks/019ac1f5d3a85b1c2d3e4f54
        revision: 1
        created_at: '2030-02-28T15:00:00Z'
        updated_at: '2030-02-28T15:00:00Z'
        created_by: key:019ac1f5d3a85b1c2d3e4f02
        updated_by: key:019ac1f5d3a85b1c2d3e4f02
    Subscription:
      summary: A subscription
      value:
        id: 019ac1f5d3a85b1c2d3e4f55
        team_id: 019ac1f5d3a85b1c2d3e4f01
        name: ends
        url: https://receiver.example.com/daybook
        actions: [workflow_run_completed, workflow_schedule_expired]
        workflow_ids: []
        enabled: true
        gone: false
        has_bearer_token: false
        timeout_seconds: 10
        max_retries: 5
        retry_backoff_seconds: 10
        circuit: {state: closed}
        revision: 1
        created_at: '2030-02-28T16:00:00Z'
        updated_at: '2030-02-28T16:00:00Z'
        created_by: key:019ac1f5d3a85b1c2d3e4f02
        updated_by: key:019ac1f5d3a85b1c2d3e4f02
    Delivery:
      summary: A delivery that has arrived
      value:
        id: 000000000000003d00000001
        team_id: 019ac1f5d3a85b1c2d3e4f01
        subscription_id: 019ac1f5d3a85b1c2d3e4f55
        action: workflow_run_completed
        position: 61
        occurred_at: '2030-03-01T08:00:00.005Z'
        workflow_id: 019ac1f5d3a85b1c2d3e4f50
        run_id: 019ac1f5d3a85b1c2d3e4f52
        schedule_id: null
        status: delivered
        attempts: 1
        next_attempt_at: null
        status_code: 204
        finished_at: '2030-03-01T08:00:01.05Z'
        created_at: '2030-03-01T08:00:00.005Z'
        updated_at: '2030-03-01T08:00:01.05Z'
        created_by: system:dispatcher
        updated_by: system:deliverer
    Entry:
      summary: The entry of a run started by hand
      value:
        position: 59
        recorded_at: '2030-03-01T08:00:00Z'
        team_id: 019ac1f5d3a85b1c2d3e4f01
        actor: key:019ac1f5d3a85b1c2d3e4f02
        actor_name: front-desk
        command: execute
        request_id: 5f0c7f1e6f0b4f6f8d0c6a1b2c3d4e5f
        causation: null
        traceparent: null
        events:
          - event: run_queued
            previous: 0
            run_id: 019ac1f5d3a85b1c2d3e4f52
            workflow_id: 019ac1f5d3a85b1c2d3e4f50
            version: 0
            mode: manual
            queue: echo
            schedule_id: null
            trigger_id: null
            scheduled_time: null
            run_input: {bytes: 13, sha256: 3d5e4f50019ac1f5d3a85b1c2d3e4f50019ac1f5d3a85b1c2d3e4f50019ac1f5}
            priority: 9
            expires_at: null
    Team:
      summary: A team
      value:
        id: 019ac1f5d3a85b1c2d3e4f01
        team_id: 019ac1f5d3a85b1c2d3e4f01
        name: north clinic
        max_concurrent_runs: 20
        revision: 1
        created_at: '2030-02-28T11:00:00Z'
        updated_at: '2030-02-28T11:00:00Z'
        created_by: key:019ac1f5d3a85b1c2d3e4f02
        updated_by: key:019ac1f5d3a85b1c2d3e4f02
    ApiKey:
      summary: A key that was just made
      value:
        id: 019ac1f5d3a85b1c2d3e4f03
        team_id: 019ac1f5d3a85b1c2d3e4f01
        role: work
        name: worker 1
        expires_at: null
        revoked_at: null
        last_used_at: null
        created_at: '2030-02-28T11:05:00Z'
        updated_at: '2030-02-28T11:05:00Z'
        created_by: key:019ac1f5d3a85b1c2d3e4f02
        updated_by: key:019ac1f5d3a85b1c2d3e4f02
        key: dbk_019ac1f5d3a85b1c2d3e4f03_<27 characters of the secret><6 of the checksum>
    Deleted:
      summary: The id of what was deleted
      value: {id: 019ac1f5d3a85b1c2d3e4f50, deleted: true}
    Rebuild:
      summary: A rebuild that has ended
      value:
        status: finished
        started_at: '2030-03-01T08:00:00Z'
        finished_at: '2030-03-01T08:00:02Z'
        entries: 57
        differences: 0
        told: []

  links:
    getWorkflow: {operationId: getWorkflow, parameters: {workflow_id: $response.body#/id}}
    updateWorkflow: {operationId: updateWorkflow, parameters: {workflow_id: $response.body#/id}}
    deleteWorkflow: {operationId: deleteWorkflow, parameters: {workflow_id: $response.body#/id}}
    setWorkflowConcurrency: {operationId: setWorkflowConcurrency, parameters: {workflow_id: $response.body#/id}}
    rotateWorkflowSecret: {operationId: rotateWorkflowSecret, parameters: {workflow_id: $response.body#/id}}
    getWorkflowHistory: {operationId: getWorkflowHistory, parameters: {workflow_id: $response.body#/id}}
    exportWorkflow: {operationId: exportWorkflow, parameters: {workflow_id: $response.body#/id}}
    saveVersion: {operationId: saveVersion, parameters: {workflow_id: $response.body#/id}}
    listVersions: {operationId: listVersions, parameters: {workflow_id: $response.body#/id}}
    editDraft: {operationId: editDraft, parameters: {workflow_id: $response.body#/id, version: '0'}}
    createSchedule: {operationId: createSchedule, parameters: {workflow_id: $response.body#/id}}
    createSchedules: {operationId: createSchedules, parameters: {workflow_id: $response.body#/id}}
    listWorkflowSchedules: {operationId: listWorkflowSchedules, parameters: {workflow_id: $response.body#/id}}
    executeWorkflow: {operationId: executeWorkflow, parameters: {workflow_id: $response.body#/id}}
    createTrigger:
      operationId: createTrigger
      requestBody: {kind: webhook, workflow_id: $response.body#/id, name: linked, verification: {type: none}}
    createSubscription:
      operationId: createSubscription
      requestBody: {name: linked, url: https://receiver.example.com/, actions: [workflow_run_completed], workflow_ids: [$response.body#/id]}
    getVersion:
      operationId: getVersion
      parameters: {workflow_id: $response.body#/workflow_id, version: $response.body#/version_number}
    renameVersion:
      operationId: renameVersion
      parameters: {workflow_id: $response.body#/workflow_id, version: $response.body#/version_number}
    activateVersion:
      operationId: activateVersion
      parameters: {workflow_id: $response.body#/workflow_id, version: $response.body#/version_number}
    deleteVersion:
      operationId: deleteVersion
      parameters: {workflow_id: $response.body#/workflow_id, version: $response.body#/version_number}
    diffVersions:
      operationId: diffVersions
      parameters: {workflow_id: $response.body#/workflow_id, version: $response.body#/version_number, other_version: '0'}
    getSchedule: {operationId: getSchedule, parameters: {schedule_id: $response.body#/id}}
    updateSchedule: {operationId: updateSchedule, parameters: {schedule_id: $response.body#/id}}
    cancelSchedule: {operationId: cancelSchedule, parameters: {schedule_id: $response.body#/id}}
    getScheduleHistory: {operationId: getScheduleHistory, parameters: {schedule_id: $response.body#/id}}
    eraseSchedule: {operationId: eraseSchedule, parameters: {schedule_id: $response.body#/id}}
    getOperation: {operationId: getOperation, parameters: {operation_id: $response.body#/id}}
    getRun: {operationId: getRun, parameters: {run_id: $response.body#/id}}
    explainRun: {operationId: explainRun, parameters: {run_id: $response.body#/id}}
    getRunHistory: {operationId: getRunHistory, parameters: {run_id: $response.body#/id}}
    cancelRun: {operationId: cancelRun, parameters: {run_id: $response.body#/id}}
    eraseRun: {operationId: eraseRun, parameters: {run_id: $response.body#/id}}
    completeRun:
      operationId: completeRun
      parameters: {run_id: $response.body#/id}
      requestBody: {attempt: $response.body#/attempt}
    failRun:
      operationId: failRun
      parameters: {run_id: $response.body#/id}
      requestBody: {attempt: $response.body#/attempt}
    heartbeatRun:
      operationId: heartbeatRun
      parameters: {run_id: $response.body#/id}
      requestBody: {attempt: $response.body#/attempt}
    releaseRun:
      operationId: releaseRun
      parameters: {run_id: $response.body#/id}
      requestBody: {attempt: $response.body#/attempt}
    getTrigger: {operationId: getTrigger, parameters: {trigger_id: $response.body#/id}}
    updateTrigger: {operationId: updateTrigger, parameters: {trigger_id: $response.body#/id}}
    deleteTrigger: {operationId: deleteTrigger, parameters: {trigger_id: $response.body#/id}}
    rotateTriggerSecret: {operationId: rotateTriggerSecret, parameters: {trigger_id: $response.body#/id}}
    listRefusals: {operationId: listRefusals, parameters: {trigger_id: $response.body#/id}}
    receiveHook: {operationId: receiveHook, parameters: {trigger_id: $response.body#/id}}
    receiveHookByPath:
      operationId: receiveHookByPath
      parameters: {trigger_id: $response.body#/id, token: $response.body#/secret}
    getSubscription: {operationId: getSubscription, parameters: {subscription_id: $response.body#/id}}
    updateSubscription: {operationId: updateSubscription, parameters: {subscription_id: $response.body#/id}}
    deleteSubscription: {operationId: deleteSubscription, parameters: {subscription_id: $response.body#/id}}
    rotateSubscriptionSecret: {operationId: rotateSubscriptionSecret, parameters: {subscription_id: $response.body#/id}}
    replayDeliveries: {operationId: replayDeliveries, parameters: {subscription_id: $response.body#/id}}
    setLicense: {operationId: setLicense, parameters: {team_id: $response.body#/id}}
    createApiKey: {operationId: createApiKey, requestBody: {team_id: $response.body#/id, role: read, name: linked}}
    revokeApiKey: {operationId: revokeApiKey, parameters: {key_id: $response.body#/id}}

  schemas:
    # Values

    Id:
      type: string
      pattern: '^[0-9a-f]{24}$'
      description: 24 lowercase hexadecimal digits; in the order in which the log gave them.
      example: 019ac1f5d3a85b1c2d3e4f50
    Time:
      type: string
      format: date-time
      description: RFC 3339 with a zone. Answers are in UTC, with microseconds where they are not zero.
    TimeOrNull:
      type: [string, 'null']
      format: date-time
    Name:
      type: string
      minLength: 1
      maxLength: 150
      description: 1 to 150 bytes of UTF-8.
    Label:
      type: string
      minLength: 1
      maxLength: 150
      description: 1 to 150 bytes of UTF-8.
    Description:
      type: [string, 'null']
      maxLength: 4000
      description: At most 4,000 bytes of UTF-8.
    Payload:
      description: Any JSON, kept as it was sent. `null` where it is left out.
    Priority:
      type: integer
      minimum: 0
      maximum: 9
      default: 5
      description: Higher goes first.
    VersionNumber:
      type: integer
      minimum: 0
      maximum: 1000000
      description: 0 is the draft.
    Attempt:
      type: integer
      minimum: 1
      maximum: 2147483647
      description: How often the run was started; every word about a run carries it.
    EntityTags:
      type: string
      pattern: '^[ \t]*(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)[ \t]*$'
    Moment:
      description: A position of the log, or a time.
      anyOf:
        - {type: integer, minimum: 0, maximum: 9223372036854775807}
        - {type: string, format: date-time}
    QueueName:
      type: string
      pattern: '^[A-Za-z0-9._-]{1,64}$'
    Url:
      type: string
      format: uri
      pattern: '^[Hh][Tt][Tt][Pp][Ss]?://[^@#\s]+$'
      maxLength: 2048
      description: |
        http or https, in ASCII, without user information and fragment, any port but 22 and 25. Addresses that are not
        global are refused unless the service allows their range.
    HeaderName:
      type: string
      pattern: '^[!#$%&''*+.^_`|~0-9A-Za-z-]{1,128}$'
    HeaderValue:
      type: string
      pattern: '^([!-~]([\t -~]*[!-~])?)?$'
      maxLength: 4096
      description: Visible ASCII, with spaces and tabs inside.
    WorkflowConcurrency:
      type: integer
      minimum: 0
      maximum: 1000000
      description: How many runs of the workflow may be in progress at once; 0 sets no limit of its own.
    TeamConcurrency:
      type: integer
      minimum: 0
      maximum: 1000000
      description: How many runs of the team may be in progress at once; 0 starts nothing.
    Actor:
      type: string
      pattern: '^(system:(service|timer|dispatcher|deliverer|command)|(key|trigger):[0-9a-f]{24})$'
      description: Who asked - a key, a trigger, or a part of the service.
    Revision:
      type: integer
      minimum: 1
      description: Rises with every event about the object.
    LogPosition:
      type: integer
      minimum: 1
    NextCursor:
      type: [string, 'null']
      pattern: '^([0-9a-f]{2})+$'
      description: Where the next page begins; `null` after the last one. It survives inserts and restarts.
    NextPosition:
      type: [string, 'null']
      pattern: '^[1-9][0-9]*$'
      description: Where the next page begins; `null` after the last one.
    Erased:
      const: true
      description: There only where payloads of the object were erased.
    Secret:
      type: string
      pattern: '^whsec_[A-Za-z0-9+/]+=*$'
      description: |
        Signs requests (Standard Webhooks 1.0). Only in the answers that made it.

    # Errors

    Problem:
      type: object
      description: RFC 9457. The members behind `errors` belong to single codes.
      required: [type, title, status, detail, code, request_id]
      properties:
        type:
          type: string
          pattern: '^/problems/[a-z]+(-[a-z]+)*$'
          description: '`/problems/` and the code with hyphens.'
        title: {type: string}
        status: {type: integer, minimum: 400, maximum: 599}
        detail: {type: string, description: For a person to read.}
        code: {$ref: '#/components/schemas/ProblemCode'}
        request_id: {type: string, pattern: '^[0-9a-f]{32}$'}
        errors:
          type: array
          minItems: 1
          description: The values that are wrong.
          items:
            type: object
            required: [pointer, message]
            properties:
              pointer:
                type: string
                description: A JSON pointer into the body; `?name` of a query parameter, `{name}` of one in the path.
              message: {type: string, description: The end of a sentence about the value.}
        required_role: {$ref: '#/components/schemas/Role'}
        position: {type: integer, minimum: 0, description: The last entry about the thing.}
        revision: {$ref: '#/components/schemas/Revision'}
        schedule_status: {$ref: '#/components/schemas/ScheduleStatus'}
        run_status: {$ref: '#/components/schemas/RunStatus'}
        delivery_status: {$ref: '#/components/schemas/DeliveryStatus'}
        attempt: {type: integer, minimum: 0, description: The current one.}
        run_id: {$ref: '#/components/schemas/Id'}
        schedule_id: {$ref: '#/components/schemas/Id'}
        operation_id: {$ref: '#/components/schemas/Id'}
        refusal_id: {$ref: '#/components/schemas/Id'}
        pending: {type: integer, minimum: 0, description: Pending schedules that are in the way.}
        unfinished_runs: {type: integer, minimum: 0, description: Unfinished runs that are in the way.}
        limit: {type: integer, minimum: 0, description: How many there may be.}
        percent: {type: integer, minimum: 0, maximum: 100, description: How much has been replayed.}
        cursor: {type: string, description: Where a list goes on behind the thing whose past is too long.}
    ProblemCode:
      type: string
      description: Stable, for programs.
      enum:
        - malformed                     # 400
        - unauthorized                  # 401
        - csrf                          # 403
        - forbidden                     # 403
        - not_found                     # 404
        - method_not_allowed            # 405
        - delivery_state                # 409
        - duplicate                     # 409
        - erased                        # 409
        - last_administrator            # 409
        - limit_reached                 # 409
        - not_finished                  # 409
        - not_pending                   # 409
        - refusal_retried               # 409
        - run_state                     # 409
        - stale_attempt                 # 409
        - version_in_use                # 409
        - workflow_closed               # 409
        - workflow_in_use               # 409
        - revision_mismatch             # 412
        - too_large                     # 413
        - unsupported_content_encoding  # 415
        - unsupported_media_type        # 415
        - idempotency_key_reused        # 422
        - invalid                       # 422
        - version_gone                  # 422
        - workflow_gone                 # 422
        - rate_limited                  # 429
        - internal                      # 500
        - clock_suspect                 # 503
        - disk_full                     # 503
        - inconsistent                  # 503
        - outcome_unknown               # 503
        - overloaded                    # 503
        - paused                        # 503
        - replaying                     # 503
        - stopping                      # 503
    Session:
      type: object
      required: [team_id, key_id, key_name, role, csrf_token, expires_at]
      properties:
        team_id: {$ref: '#/components/schemas/Id'}
        key_id: {$ref: '#/components/schemas/Id'}
        key_name: {type: string}
        role: {$ref: '#/components/schemas/Role'}
        csrf_token: {type: string, pattern: '^[0-9a-f]{64}$'}
        expires_at: {$ref: '#/components/schemas/Time'}
    DensityPart:
      type: object
      required: [from, to, pending, in_progress, completed, failed, cancelled, max_lateness_ms]
      properties:
        from: {$ref: '#/components/schemas/Time'}
        to: {$ref: '#/components/schemas/Time'}
        pending: {type: integer, minimum: 0}
        in_progress: {type: integer, minimum: 0}
        completed: {type: integer, minimum: 0}
        failed: {type: integer, minimum: 0}
        cancelled: {type: integer, minimum: 0}
        max_lateness_ms:
          type: [integer, 'null']
          minimum: 0
          description: The greatest lateness of those that have fired.
    Deleted:
      type: object
      required: [id, deleted]
      properties:
        id: {$ref: '#/components/schemas/Id'}
        deleted: {const: true}

    # Workflows

    NewWorkflow:
      type: object
      additionalProperties: false
      required: [name, definition]
      properties:
        name: {$ref: '#/components/schemas/Name'}
        description: {$ref: '#/components/schemas/Description'}
        definition: {$ref: '#/components/schemas/Definition'}
        run_timeout_seconds: {$ref: '#/components/schemas/RunTimeout'}
        retry: {$ref: '#/components/schemas/NewRetry'}
        max_concurrent_runs: {$ref: '#/components/schemas/WorkflowConcurrency', default: 0}
    WorkflowChanges:
      type: object
      additionalProperties: false
      properties:
        name: {$ref: '#/components/schemas/Name'}
        description: {$ref: '#/components/schemas/Description'}
        run_timeout_seconds: {$ref: '#/components/schemas/RunTimeout'}
        retry: {$ref: '#/components/schemas/NewRetry'}
        paused: {type: boolean, description: Schedules still fire; their runs wait.}
    Workflow:
      type: object
      required: [id, team_id, name, description, active_version, latest_version, run_timeout_seconds, retry,
                 max_concurrent_runs, paused, revision, created_at, updated_at, created_by, updated_by]
      properties:
        id: {$ref: '#/components/schemas/Id'}
        team_id: {$ref: '#/components/schemas/Id'}
        name: {$ref: '#/components/schemas/Name'}
        description: {$ref: '#/components/schemas/Description'}
        active_version: {$ref: '#/components/schemas/VersionNumber'}
        latest_version: {$ref: '#/components/schemas/VersionNumber'}
        run_timeout_seconds: {$ref: '#/components/schemas/RunTimeout'}
        retry: {$ref: '#/components/schemas/Retry'}
        max_concurrent_runs: {$ref: '#/components/schemas/WorkflowConcurrency'}
        paused: {type: boolean}
        revision: {$ref: '#/components/schemas/Revision'}
        created_at: {$ref: '#/components/schemas/Time'}
        updated_at: {$ref: '#/components/schemas/Time'}
        created_by: {$ref: '#/components/schemas/Actor'}
        updated_by: {$ref: '#/components/schemas/Actor'}
        secret: {$ref: '#/components/schemas/Secret'}
    RunTimeout:
      type: integer
      minimum: 1
      maximum: 86400
      default: 3600
      description: Seconds that an attempt may take; its deadline.
    NewRetry:
      type: object
      additionalProperties: false
      description: How failed attempts are tried again. The whole policy; what is left out has its default.
      properties:
        max_attempts: {type: integer, minimum: 1, maximum: 100, default: 1}
        initial_backoff_seconds: {type: integer, minimum: 0, maximum: 86400, default: 10}
        max_backoff_seconds:
          type: integer
          minimum: 0
          maximum: 86400
          default: 300
          description: Not less than `initial_backoff_seconds`. The wait doubles up to it.
    Retry:
      type: object
      required: [max_attempts, initial_backoff_seconds, max_backoff_seconds]
      properties:
        max_attempts: {type: integer, minimum: 1, maximum: 100}
        initial_backoff_seconds: {type: integer, minimum: 0, maximum: 86400}
        max_backoff_seconds: {type: integer, minimum: 0, maximum: 86400}

    Definition:
      type: object
      additionalProperties: false
      description: What carries runs out.
      required: [executor]
      properties:
        executor:
          oneOf:
            - {$ref: '#/components/schemas/EchoExecutor'}
            - {$ref: '#/components/schemas/WorkerExecutor'}
            - {$ref: '#/components/schemas/HttpExecutor'}
          discriminator:
            propertyName: type
            mapping:
              echo: '#/components/schemas/EchoExecutor'
              worker: '#/components/schemas/WorkerExecutor'
              http: '#/components/schemas/HttpExecutor'
    ShownDefinition:
      type: object
      description: A definition as it was sent, without the secrets in it.
      required: [executor]
      properties:
        executor:
          oneOf:
            - {$ref: '#/components/schemas/EchoExecutor'}
            - {$ref: '#/components/schemas/WorkerExecutor'}
            - {$ref: '#/components/schemas/ShownHttpExecutor'}
          discriminator:
            propertyName: type
            mapping:
              echo: '#/components/schemas/EchoExecutor'
              worker: '#/components/schemas/WorkerExecutor'
              http: '#/components/schemas/ShownHttpExecutor'
    EchoExecutor:
      type: object
      additionalProperties: false
      description: Completes with the run's input, for trying things out.
      required: [type]
      properties:
        type: {const: echo}
        delay_ms: {type: integer, minimum: 0, maximum: 3600000, default: 0, description: Milliseconds before it completes.}
    WorkerExecutor:
      type: object
      additionalProperties: false
      description: Waits for a worker of a queue of the team's.
      required: [type, queue]
      properties:
        type: {const: worker}
        queue: {$ref: '#/components/schemas/QueueName'}
    HttpExecutor:
      type: object
      additionalProperties: false
      description: |
        Sends a signed request. 2xx with JSON, or with nothing, completes with that output; 202 leaves the run in progress
        until `complete` or `fail` is called; any other status fails the attempt.
      required: [type, url]
      properties:
        type: {const: http}
        url: {$ref: '#/components/schemas/Url'}
        method: {$ref: '#/components/schemas/HttpMethod'}
        headers:
          type: object
          maxProperties: 50
          description: Not those that describe connection or body, nor `Idempotency-Key` and `webhook-…`, which are set already.
          propertyNames: {$ref: '#/components/schemas/HeaderName'}
          additionalProperties:
            oneOf:
              - {$ref: '#/components/schemas/HeaderValue'}
              - type: object
                additionalProperties: false
                required: [secret]
                properties:
                  secret: {$ref: '#/components/schemas/HeaderValue'}
                description: Write-only; shown as `true`.
              - type: object
                additionalProperties: false
                required: [secret]
                properties:
                  secret: {const: true}
                description: Keeps the secret that the draft has for this header.
        timeout_seconds: {$ref: '#/components/schemas/HttpTimeout'}
        redelivery: {$ref: '#/components/schemas/Redelivery'}
    ShownHttpExecutor:
      type: object
      required: [type, url]
      properties:
        type: {const: http}
        url: {$ref: '#/components/schemas/Url'}
        method: {$ref: '#/components/schemas/HttpMethod'}
        headers:
          type: object
          propertyNames: {$ref: '#/components/schemas/HeaderName'}
          additionalProperties:
            oneOf:
              - {$ref: '#/components/schemas/HeaderValue'}
              - type: object
                required: [secret]
                properties:
                  secret: {const: true}
        timeout_seconds: {$ref: '#/components/schemas/HttpTimeout'}
        redelivery: {$ref: '#/components/schemas/Redelivery'}
    HttpMethod:
      type: string
      enum: [GET, POST, PUT, PATCH, DELETE]
      default: POST
    HttpTimeout:
      type: integer
      minimum: 1
      maximum: 3600
      default: 60
      description: Seconds to wait for the answer.
    Redelivery:
      type: string
      enum: [send, fail]
      default: send
      description: Whether a request that was open when the process ended is sent again, or its attempt fails.

    NewVersion:
      type: object
      additionalProperties: false
      properties:
        source_version_number:
          $ref: '#/components/schemas/VersionNumber'
          default: 0
        version_name: {$ref: '#/components/schemas/Label'}
        mark_as_active: {type: boolean, default: false}
    Version:
      type: object
      required: [workflow_id, team_id, version_number, version_name, source_version_number, is_active, definition,
                 created_at, updated_at, created_by, updated_by]
      properties:
        workflow_id: {$ref: '#/components/schemas/Id'}
        team_id: {$ref: '#/components/schemas/Id'}
        version_number: {$ref: '#/components/schemas/VersionNumber'}
        version_name: {type: [string, 'null'], minLength: 1, maxLength: 150}
        source_version_number:
          type: [integer, 'null']
          minimum: 0
          maximum: 1000000
          description: Of what it is a snapshot; `null` of the draft and of imported versions.
        is_active: {type: boolean}
        definition: {$ref: '#/components/schemas/ShownDefinition'}
        created_at: {$ref: '#/components/schemas/Time'}
        updated_at: {$ref: '#/components/schemas/Time'}
        created_by: {$ref: '#/components/schemas/Actor'}
        updated_by: {$ref: '#/components/schemas/Actor'}

    NewBundle:
      type: object
      additionalProperties: false
      required: [format, format_version, name, definition]
      properties:
        format: {const: daybook-workflow}
        format_version: {const: 1}
        name: {$ref: '#/components/schemas/Name'}
        description: {$ref: '#/components/schemas/Description'}
        run_timeout_seconds: {$ref: '#/components/schemas/RunTimeout'}
        retry: {$ref: '#/components/schemas/NewRetry'}
        max_concurrent_runs: {$ref: '#/components/schemas/WorkflowConcurrency', default: 0}
        active_version:
          $ref: '#/components/schemas/VersionNumber'
          default: 0
        definition: {$ref: '#/components/schemas/Definition'}
        versions:
          type: array
          maxItems: 100
          description: In the order of their numbers.
          items:
            type: object
            additionalProperties: false
            required: [version_number, definition]
            properties:
              version_number: {type: integer, minimum: 1, maximum: 1000000}
              version_name: {type: [string, 'null'], minLength: 1, maxLength: 150}
              definition: {$ref: '#/components/schemas/Definition'}
    Bundle:
      type: object
      required: [format, format_version, name, description, run_timeout_seconds, retry, max_concurrent_runs,
                 active_version, definition, versions]
      properties:
        format: {const: daybook-workflow}
        format_version: {const: 1}
        name: {$ref: '#/components/schemas/Name'}
        description: {$ref: '#/components/schemas/Description'}
        run_timeout_seconds: {$ref: '#/components/schemas/RunTimeout'}
        retry: {$ref: '#/components/schemas/Retry'}
        max_concurrent_runs: {$ref: '#/components/schemas/WorkflowConcurrency'}
        active_version: {$ref: '#/components/schemas/VersionNumber'}
        definition: {$ref: '#/components/schemas/ShownDefinition'}
        versions:
          type: array
          maxItems: 100
          items:
            type: object
            required: [version_number, version_name, definition]
            properties:
              version_number: {type: integer, minimum: 1, maximum: 1000000}
              version_name: {type: [string, 'null'], minLength: 1, maxLength: 150}
              definition: {$ref: '#/components/schemas/ShownDefinition'}

    # Schedules

    ScheduleStatus:
      type: string
      enum: [pending, in_progress, completed, failed, cancelled]
      description: '`in_progress` from its firing on, also while its run is queued; then as its run ends.'
    NewSchedule:
      type: object
      additionalProperties: false
      required: [scheduled_time]
      properties:
        scheduled_time:
          $ref: '#/components/schemas/Time'
          description: When it fires; in the future.
        run_input: {$ref: '#/components/schemas/Payload'}
        version:
          $ref: '#/components/schemas/VersionNumber'
          description: The version that its run takes; the one that is active at firing where it is left out.
        scheduled_by_name:
          $ref: '#/components/schemas/Label'
          description: Who asked for it, for people to read. 1 to 150 bytes of UTF-8.
        expires_at:
          $ref: '#/components/schemas/Time'
          description: Until when its run must have started; after `scheduled_time`. Otherwise it fails.
        priority: {$ref: '#/components/schemas/Priority'}
        dedup_key:
          type: string
          minLength: 1
          maxLength: 255
          description: No two pending schedules of a workflow have the same. 1 to 255 bytes of UTF-8.
    ScheduleChanges:
      type: object
      additionalProperties: false
      properties:
        scheduled_time: {$ref: '#/components/schemas/Time'}
        run_input: {$ref: '#/components/schemas/Payload'}
        version:
          type: [integer, 'null']
          minimum: 0
          maximum: 1000000
          description: '`null` unpins it.'
        expires_at:
          $ref: '#/components/schemas/TimeOrNull'
          description: '`null` removes it.'
        priority: {type: integer, minimum: 0, maximum: 9}
    Schedule:
      type: object
      required: [id, team_id, workflow_id, scheduled_time, status, run_input, version, scheduled_by_name, expires_at,
                 priority, dedup_key, run_id, error_message, fired_at, lateness_ms, revision, created_at, updated_at,
                 created_by, updated_by]
      properties:
        id: {$ref: '#/components/schemas/Id'}
        team_id: {$ref: '#/components/schemas/Id'}
        workflow_id: {$ref: '#/components/schemas/Id'}
        scheduled_time: {$ref: '#/components/schemas/Time'}
        status: {$ref: '#/components/schemas/ScheduleStatus'}
        run_input: {$ref: '#/components/schemas/Payload'}
        version:
          type: [integer, 'null']
          minimum: 0
          maximum: 1000000
          description: The one that it is pinned to.
        scheduled_by_name: {type: [string, 'null'], minLength: 1, maxLength: 150}
        expires_at: {$ref: '#/components/schemas/TimeOrNull'}
        priority: {type: integer, minimum: 0, maximum: 9}
        dedup_key: {type: [string, 'null'], minLength: 1, maxLength: 255}
        run_id: {$ref: '#/components/schemas/IdOrNull', description: Once it has fired.}
        error_message: {type: [string, 'null'], description: Why it is `failed`.}
        fired_at: {$ref: '#/components/schemas/TimeOrNull'}
        lateness_ms:
          type: [integer, 'null']
          minimum: 0
          description: Milliseconds from `scheduled_time` to `fired_at`.
        revision: {$ref: '#/components/schemas/Revision'}
        created_at: {$ref: '#/components/schemas/Time'}
        updated_at: {$ref: '#/components/schemas/Time'}
        created_by: {$ref: '#/components/schemas/Actor'}
        updated_by: {$ref: '#/components/schemas/Actor'}
        erased: {$ref: '#/components/schemas/Erased'}
    IdOrNull:
      type: [string, 'null']
      pattern: '^[0-9a-f]{24}$'

    # Batches

    BatchLine:
      description: The answer to an item.
      oneOf:
        - type: object
          required: [index, status, position, replayed, schedule]
          properties:
            index: {type: integer, minimum: 0, maximum: 9999, description: 'The item, counted from 0.'}
            status: {const: 201}
            position: {$ref: '#/components/schemas/LogPosition'}
            replayed: {type: boolean, description: Whether this answers an earlier request again.}
            schedule: {$ref: '#/components/schemas/Schedule'}
        - type: object
          required: [index, status, problem]
          properties:
            index: {type: integer, minimum: 0, maximum: 9999}
            status: {type: integer, minimum: 400, maximum: 599}
            problem: {$ref: '#/components/schemas/Problem'}
    PendingFilter:
      type: object
      additionalProperties: false
      minProperties: 1
      description: Which pending schedules. All of the team only where that is said, with `status` alone.
      properties:
        status: {const: pending}
        workflow_id: {$ref: '#/components/schemas/Id'}
        dedup_key: {type: string, minLength: 1, maxLength: 255}
        from: {$ref: '#/components/schemas/Time', description: Those whose `scheduled_time` is this or later.}
        to: {$ref: '#/components/schemas/Time', description: Those whose `scheduled_time` is earlier.}
    BulkChanges:
      type: object
      additionalProperties: false
      minProperties: 1
      description: Either `scheduled_time` or `shift_seconds`, not both.
      not: {required: [scheduled_time, shift_seconds]}
      properties:
        scheduled_time: {$ref: '#/components/schemas/Time', description: In the future.}
        shift_seconds:
          type: integer
          minimum: -31622400
          maximum: 31622400
          description: Seconds by which each is moved.
        version: {type: [integer, 'null'], minimum: 0, maximum: 1000000, description: '`null` unpins them.'}
        expires_at: {$ref: '#/components/schemas/TimeOrNull', description: '`null` removes it.'}
        priority: {type: integer, minimum: 0, maximum: 9}
    DryRun:
      type: boolean
      default: false
      description: Only counts what matches.
    Operation:
      type: object
      required: [id, team_id, task, status, failure, matched, changed, unchanged, refused, refusals, started_position,
                 finished_at, created_at, updated_at, created_by, updated_by]
      properties:
        id: {$ref: '#/components/schemas/Id'}
        team_id: {$ref: '#/components/schemas/Id'}
        task: {type: string, enum: [cancel, modify, delete_workflow]}
        filter:
          type: object
          description: Of `cancel` and `modify`.
          properties:
            workflow_id: {$ref: '#/components/schemas/Id'}
            dedup_key: {type: string}
            from: {$ref: '#/components/schemas/Time'}
            to: {$ref: '#/components/schemas/Time'}
        changes:
          type: object
          description: Of `modify`.
          properties:
            scheduled_time: {$ref: '#/components/schemas/Time'}
            shift_seconds: {type: integer}
            version: {type: [integer, 'null'], minimum: 0, maximum: 1000000}
            expires_at: {$ref: '#/components/schemas/TimeOrNull'}
            priority: {type: integer, minimum: 0, maximum: 9}
        workflow_id: {$ref: '#/components/schemas/Id', description: Of `delete_workflow`.}
        status: {type: string, enum: [running, completed, failed]}
        failure:
          enum: [key_invalid, null]
          description: '`key_invalid`: the key that asked was revoked or has expired.'
        matched: {type: integer, minimum: 0, description: How many matched when it was asked for.}
        changed: {type: integer, minimum: 0}
        unchanged: {type: integer, minimum: 0, description: They were already as asked.}
        refused: {type: integer, minimum: 0}
        refusals:
          type: array
          maxItems: 100
          description: The first of those that were refused.
          items:
            type: object
            required: [id, code, detail]
            properties:
              id: {$ref: '#/components/schemas/Id', description: The schedule or run.}
              code: {$ref: '#/components/schemas/ProblemCode'}
              detail: {type: string}
        started_position:
          $ref: '#/components/schemas/LogPosition'
          description: Its entry; those of what it does have it as their `causation`.
        finished_at: {$ref: '#/components/schemas/TimeOrNull'}
        created_at: {$ref: '#/components/schemas/Time'}
        updated_at: {$ref: '#/components/schemas/Time'}
        created_by: {$ref: '#/components/schemas/Actor'}
        updated_by: {$ref: '#/components/schemas/Actor'}

    # Runs

    RunStatus:
      type: string
      enum: [queued, in_progress, completed, failed, cancelled]
    RunMode:
      type: string
      enum: [manual, scheduled, triggered]
    FailureReason:
      type: string
      enum: [error, timeout, expired, http_status, connection, invalid_output]
      description: '`timeout`: its deadline or lease passed. `expired`: not started before `expires_at`.'
    NewRun:
      type: object
      additionalProperties: false
      properties:
        run_input: {$ref: '#/components/schemas/Payload'}
        priority: {$ref: '#/components/schemas/Priority'}
        expires_at:
          $ref: '#/components/schemas/Time'
          description: Until when it must have started; in the future. Otherwise it fails.
    Run:
      type: object
      required: [id, team_id, workflow_id, version, mode, status, schedule_id, trigger_id, scheduled_time, run_input,
                 output, error, attempt, tries, priority, expires_at, fired_at, queued_at, not_before,
                 first_started_at, started_at, deadline, lease_expires_at, finished_at, durations, worker, created_at,
                 updated_at, created_by, updated_by]
      properties:
        id: {$ref: '#/components/schemas/Id'}
        team_id: {$ref: '#/components/schemas/Id'}
        workflow_id: {$ref: '#/components/schemas/Id'}
        version: {$ref: '#/components/schemas/VersionNumber'}
        mode: {$ref: '#/components/schemas/RunMode'}
        status: {$ref: '#/components/schemas/RunStatus'}
        schedule_id: {$ref: '#/components/schemas/IdOrNull'}
        trigger_id: {$ref: '#/components/schemas/IdOrNull'}
        scheduled_time: {$ref: '#/components/schemas/TimeOrNull', description: When its schedule was due.}
        run_input: {$ref: '#/components/schemas/Payload'}
        output: {$ref: '#/components/schemas/Payload'}
        error:
          type: [object, 'null']
          description: Why it failed; of a run that waits to be tried again, why its last attempt did.
          required: [reason, message]
          properties:
            reason: {$ref: '#/components/schemas/FailureReason'}
            message: {type: [string, 'null']}
        attempt: {type: integer, minimum: 0, maximum: 2147483647, description: How often it was started.}
        tries: {type: integer, minimum: 0, description: The attempts that count against `retry`.}
        priority: {type: integer, minimum: 0, maximum: 9}
        expires_at: {$ref: '#/components/schemas/TimeOrNull'}
        fired_at: {$ref: '#/components/schemas/TimeOrNull', description: When its schedule fired.}
        queued_at: {$ref: '#/components/schemas/Time'}
        not_before: {$ref: '#/components/schemas/TimeOrNull', description: Before when it is not tried again.}
        first_started_at: {$ref: '#/components/schemas/TimeOrNull'}
        started_at: {$ref: '#/components/schemas/TimeOrNull', description: When the last attempt was.}
        deadline: {$ref: '#/components/schemas/TimeOrNull'}
        lease_expires_at: {$ref: '#/components/schemas/TimeOrNull', description: Of a run that a worker has.}
        finished_at: {$ref: '#/components/schemas/TimeOrNull'}
        durations:
          type: object
          description: In milliseconds, as far as they are known.
          required: [timer_lag_ms, slot_wait_ms, run_ms]
          properties:
            timer_lag_ms: {type: [integer, 'null'], minimum: 0, description: From due to fired.}
            slot_wait_ms: {type: [integer, 'null'], minimum: 0, description: From queued to its first start.}
            run_ms: {type: [integer, 'null'], minimum: 0, description: From the last start to the end.}
        worker: {type: [string, 'null'], minLength: 1, maxLength: 150}
        created_at: {$ref: '#/components/schemas/Time'}
        updated_at: {$ref: '#/components/schemas/Time'}
        created_by: {$ref: '#/components/schemas/Actor'}
        updated_by: {$ref: '#/components/schemas/Actor'}
        erased: {$ref: '#/components/schemas/Erased'}
    Assignment:
      type: object
      description: A run as its worker is told of it.
      required: [run_id, attempt, lease_expires_at, heartbeat_every_seconds, deadline, workflow_id, version, definition,
                 mode, scheduled_time, run_input]
      properties:
        run_id: {$ref: '#/components/schemas/Id'}
        attempt: {$ref: '#/components/schemas/Attempt'}
        lease_expires_at: {$ref: '#/components/schemas/Time'}
        heartbeat_every_seconds: {type: integer, minimum: 1, maximum: 720}
        deadline: {$ref: '#/components/schemas/Time'}
        workflow_id: {$ref: '#/components/schemas/Id'}
        version: {$ref: '#/components/schemas/VersionNumber'}
        definition: {$ref: '#/components/schemas/ShownDefinition'}
        mode: {$ref: '#/components/schemas/RunMode'}
        scheduled_time: {$ref: '#/components/schemas/TimeOrNull'}
        run_input: {$ref: '#/components/schemas/Payload'}
        erased: {$ref: '#/components/schemas/Erased'}
    Why:
      type: object
      required: [run_id, team_id, status, position, summary, waits_for, running, ended]
      properties:
        run_id: {$ref: '#/components/schemas/Id'}
        team_id: {$ref: '#/components/schemas/Id'}
        status: {$ref: '#/components/schemas/RunStatus'}
        position: {$ref: '#/components/schemas/LogPosition', description: The log's end when this was true.}
        summary: {type: string, description: One sentence for a person.}
        waits_for:
          type: array
          description: Everything that a queued run waits for; empty for any other.
          items:
            type: object
            required: [reason, detail, positions]
            properties:
              reason:
                type: string
                enum: [service_paused, clock_suspect, inconsistent, copy, not_before, workflow_paused, workflow_limit,
                       team_limit, executions_limit, no_worker, turn]
              detail: {type: string}
              not_before: {$ref: '#/components/schemas/Time', description: Of `not_before`.}
              limit: {type: integer, minimum: 0, description: Of the limits.}
              in_progress: {type: integer, minimum: 0, description: Of the limits.}
              held_by:
                type: array
                description: Of the limits of workflow and team; who holds the slots.
                items:
                  type: object
                  required: [run_id, position]
                  properties:
                    run_id: {$ref: '#/components/schemas/Id'}
                    position: {$ref: '#/components/schemas/LogPosition'}
              queue: {type: string, description: Of `no_worker` and `turn`.}
              last_claim_at: {$ref: '#/components/schemas/TimeOrNull', description: Of `no_worker`.}
              place: {type: integer, minimum: 1, description: Of `turn`; among the runs of its workflow.}
              turns_before: {type: integer, minimum: 0, description: Of `turn`.}
              teams_before: {type: integer, minimum: 0, description: Of `turn`.}
              positions: {$ref: '#/components/schemas/Evidence'}
        running:
          type: [object, 'null']
          required: [attempt, worker, started_at, deadline, lease_expires_at, positions]
          properties:
            attempt: {$ref: '#/components/schemas/Attempt'}
            worker: {type: [string, 'null']}
            started_at: {$ref: '#/components/schemas/Time'}
            deadline: {$ref: '#/components/schemas/Time'}
            lease_expires_at: {$ref: '#/components/schemas/TimeOrNull'}
            positions: {$ref: '#/components/schemas/Evidence'}
        ended:
          type: [object, 'null']
          required: [command, by, at, reason, message, attempt, positions]
          properties:
            command: {$ref: '#/components/schemas/CommandName'}
            by: {$ref: '#/components/schemas/Actor'}
            at: {$ref: '#/components/schemas/Time'}
            reason: {enum: [error, timeout, expired, http_status, connection, invalid_output, null]}
            message: {type: [string, 'null']}
            attempt: {type: integer, minimum: 0}
            positions: {$ref: '#/components/schemas/Evidence'}
    Evidence:
      type: array
      description: The entries of the log that prove it.
      items: {$ref: '#/components/schemas/LogPosition'}

    # Triggers

    NewTrigger:
      oneOf:
        - {$ref: '#/components/schemas/NewWebhookTrigger'}
        - {$ref: '#/components/schemas/NewSqsTrigger'}
      discriminator:
        propertyName: kind
        mapping:
          webhook: '#/components/schemas/NewWebhookTrigger'
          sqs: '#/components/schemas/NewSqsTrigger'
    NewWebhookTrigger:
      type: object
      additionalProperties: false
      required: [kind, workflow_id, name, verification]
      properties:
        kind: {const: webhook}
        workflow_id: {$ref: '#/components/schemas/Id'}
        name: {$ref: '#/components/schemas/Name'}
        version: {$ref: '#/components/schemas/PinnedVersion'}
        enabled: {type: boolean, default: true}
        verification: {$ref: '#/components/schemas/NewVerification'}
        secret: {$ref: '#/components/schemas/TriggerSecret'}
        deduplicate_by: {$ref: '#/components/schemas/WebhookIdPlace'}
        deduplication_days: {type: integer, minimum: 1, maximum: 90, default: 15}
        accepts_text: {$ref: '#/components/schemas/AcceptsText'}
    NewSqsTrigger:
      type: object
      additionalProperties: false
      required: [kind, workflow_id, name, queue_url, region]
      properties:
        kind: {const: sqs}
        workflow_id: {$ref: '#/components/schemas/Id'}
        name: {$ref: '#/components/schemas/Name'}
        version: {$ref: '#/components/schemas/PinnedVersion'}
        enabled: {type: boolean, default: true}
        queue_url: {$ref: '#/components/schemas/Url'}
        region: {$ref: '#/components/schemas/Region'}
        endpoint: {$ref: '#/components/schemas/Endpoint'}
        max_receive_count: {$ref: '#/components/schemas/MaxReceiveCount', default: 5}
        deduplicate_by: {$ref: '#/components/schemas/SqsIdPlace'}
        deduplication_days: {type: integer, minimum: 15, maximum: 90, default: 15}
        accepts_text: {$ref: '#/components/schemas/AcceptsText'}
    TriggerChanges:
      anyOf:
        - type: object
          description: Of the kind `webhook`.
          additionalProperties: false
          properties:
            name: {$ref: '#/components/schemas/Name'}
            version: {$ref: '#/components/schemas/PinnedVersion'}
            enabled: {type: boolean}
            verification: {$ref: '#/components/schemas/NewVerification'}
            deduplicate_by: {$ref: '#/components/schemas/WebhookIdPlace'}
            deduplication_days: {type: integer, minimum: 1, maximum: 90}
            accepts_text: {type: boolean}
        - type: object
          description: Of the kind `sqs`.
          additionalProperties: false
          properties:
            name: {$ref: '#/components/schemas/Name'}
            version: {$ref: '#/components/schemas/PinnedVersion'}
            enabled: {type: boolean}
            queue_url: {$ref: '#/components/schemas/Url'}
            region: {$ref: '#/components/schemas/Region'}
            endpoint: {$ref: '#/components/schemas/Endpoint'}
            max_receive_count: {$ref: '#/components/schemas/MaxReceiveCount'}
            deduplicate_by: {$ref: '#/components/schemas/SqsIdPlace'}
            deduplication_days: {type: integer, minimum: 15, maximum: 90}
            accepts_text: {type: boolean}
    Trigger:
      oneOf:
        - {$ref: '#/components/schemas/WebhookTrigger'}
        - {$ref: '#/components/schemas/SqsTrigger'}
      discriminator:
        propertyName: kind
        mapping:
          webhook: '#/components/schemas/WebhookTrigger'
          sqs: '#/components/schemas/SqsTrigger'
    WebhookTrigger:
      type: object
      required: [id, team_id, workflow_id, kind, name, version, enabled, verification, deduplicate_by,
                 deduplication_days, accepts_text, path, revision, created_at, updated_at, created_by, updated_by]
      properties:
        id: {$ref: '#/components/schemas/Id'}
        team_id: {$ref: '#/components/schemas/Id'}
        workflow_id: {$ref: '#/components/schemas/Id'}
        kind: {const: webhook}
        name: {$ref: '#/components/schemas/Name'}
        version: {$ref: '#/components/schemas/PinnedVersion'}
        enabled: {type: boolean}
        verification: {$ref: '#/components/schemas/Verification'}
        deduplicate_by: {$ref: '#/components/schemas/WebhookIdPlace'}
        deduplication_days: {type: integer, minimum: 1, maximum: 90}
        accepts_text: {type: boolean}
        path:
          type: string
          pattern: '^/hooks/[0-9a-f]{24}(/([0-9a-f]{64}|\{token\}))?$'
          description: |
            Where it is called. Of the verification `none` with the secret as its last segment, which is shown as `{token}`
            except in the answers that made it.
        revision: {$ref: '#/components/schemas/Revision'}
        created_at: {$ref: '#/components/schemas/Time'}
        updated_at: {$ref: '#/components/schemas/Time'}
        created_by: {$ref: '#/components/schemas/Actor'}
        updated_by: {$ref: '#/components/schemas/Actor'}
        secret: {$ref: '#/components/schemas/TriggerSecret'}
    SqsTrigger:
      type: object
      required: [id, team_id, workflow_id, kind, name, version, enabled, queue_url, region, endpoint, max_receive_count,
                 deduplicate_by, deduplication_days, accepts_text, state, revision, created_at, updated_at, created_by,
                 updated_by]
      properties:
        id: {$ref: '#/components/schemas/Id'}
        team_id: {$ref: '#/components/schemas/Id'}
        workflow_id: {$ref: '#/components/schemas/Id'}
        kind: {const: sqs}
        name: {$ref: '#/components/schemas/Name'}
        version: {$ref: '#/components/schemas/PinnedVersion'}
        enabled: {type: boolean}
        queue_url: {$ref: '#/components/schemas/Url'}
        region: {$ref: '#/components/schemas/Region'}
        endpoint: {$ref: '#/components/schemas/Endpoint'}
        max_receive_count: {$ref: '#/components/schemas/MaxReceiveCount'}
        deduplicate_by: {$ref: '#/components/schemas/SqsIdPlace'}
        deduplication_days: {type: integer, minimum: 15, maximum: 90}
        accepts_text: {type: boolean}
        state:
          type: object
          description: How its queue is, since the process started.
          required: [status]
          properties:
            status:
              type: string
              enum: [reading, held, degraded, disabled]
              description: '`held`: nothing is fetched now, since the service is paused, a copy, or has no room.'
            since: {$ref: '#/components/schemas/Time', description: Of `degraded`.}
            reason: {type: string, description: Of `degraded`.}
        revision: {$ref: '#/components/schemas/Revision'}
        created_at: {$ref: '#/components/schemas/Time'}
        updated_at: {$ref: '#/components/schemas/Time'}
        created_by: {$ref: '#/components/schemas/Actor'}
        updated_by: {$ref: '#/components/schemas/Actor'}
    PinnedVersion:
      type: [integer, 'null']
      minimum: 0
      maximum: 1000000
      description: The version that its runs take; `null` for the one that is active.
    TriggerSecret:
      type: string
      minLength: 1
      maxLength: 512
      description: |
        What callers prove themselves with. Of `standard` a `whsec_…` of 24 to 64 bytes; of `hmac` and `bearer` 16 to 256
        visible ASCII characters; of `none` it is made here, never brought. A new one is made where none is brought. Shown
        only in the answers that made it.
    AcceptsText:
      type: boolean
      default: false
      description: Whether forms and texts are taken too, as `{"content_type", "body"}`.
    NewVerification:
      description: How callers prove themselves.
      oneOf:
        - type: object
          additionalProperties: false
          required: [type]
          properties:
            type:
              type: string
              enum: [standard, bearer, none]
              description: |
                `standard`: Standard Webhooks 1.0. `bearer`: `Authorization: Bearer <secret>`. `none`: by the path, whose
                last segment nobody can guess.
        - type: object
          description: An HMAC of the body in a header, in the way of a preset or as it is said here.
          additionalProperties: false
          required: [type]
          anyOf: [{required: [preset]}, {required: [header]}]
          properties:
            type: {const: hmac}
            preset:
              type: string
              enum: [github, shopify, stripe]
              description: Sets all others; they may be left out, or say the same.
            header: {$ref: '#/components/schemas/HeaderName'}
            algorithm: {type: string, enum: [sha256, sha1], default: sha256}
            prefix: {type: string, pattern: '^[ -~]{0,64}$', default: '', description: What stands before the code.}
            encoding: {type: string, enum: [hex, base64], default: hex}
    Verification:
      oneOf:
        - type: object
          required: [type]
          properties:
            type: {type: string, enum: [standard, bearer, none]}
        - type: object
          required: [type, header, algorithm, prefix, encoding]
          properties:
            type: {const: hmac}
            preset: {type: string, enum: [github, shopify, stripe]}
            header: {$ref: '#/components/schemas/HeaderName'}
            algorithm: {type: string, enum: [sha256, sha1]}
            prefix: {type: string, pattern: '^[ -~]{0,64}$'}
            encoding: {type: string, enum: [hex, base64]}
    WebhookIdPlace:
      type: [object, 'null']
      description: |
        Where a message has the id by which its repeats are known. Where it is left out, as senders of the verification
        have it; `null` takes each message for a new one.
      additionalProperties: false
      minProperties: 1
      maxProperties: 1
      properties:
        header: {$ref: '#/components/schemas/HeaderName'}
        pointer: {$ref: '#/components/schemas/JsonPointer'}
    SqsIdPlace:
      type: [object, 'null']
      description: |
        Where a message has the id by which its repeats are known, besides the one that SQS gives it.
      additionalProperties: false
      minProperties: 1
      maxProperties: 1
      properties:
        attribute: {type: string, minLength: 1, maxLength: 256}
        pointer: {$ref: '#/components/schemas/JsonPointer'}
    JsonPointer:
      type: string
      pattern: '^/([^~]|~[01])*$'
      maxLength: 256
      description: RFC 6901, not to the whole; at most 256 bytes.
    Region:
      type: string
      pattern: '^[a-z0-9-]{1,64}$'
    Endpoint:
      type: [string, 'null']
      format: uri
      pattern: '^[Hh][Tt][Tt][Pp][Ss]?://[^@#\s]+$'
      maxLength: 2048
      description: Where requests go instead of the host of `queue_url`; without a path. `null` for none.
    MaxReceiveCount:
      type: integer
      minimum: 1
      maximum: 1000
      description: At so many receipts a message that cannot be used becomes a refusal, where its queue has no redrive policy.
    Refusals:
      type: object
      required: [items, next_cursor, turned_away]
      properties:
        items: {type: array, maxItems: 100, items: {$ref: '#/components/schemas/Refusal'}}
        next_cursor: {$ref: '#/components/schemas/NextCursor'}
        turned_away:
          type: object
          required: [since, counts, recent]
          properties:
            since: {$ref: '#/components/schemas/Time', description: When the counting began.}
            counts:
              type: object
              description: Calls by reason.
              propertyNames: {$ref: '#/components/schemas/TurnedAwayReason'}
              additionalProperties: {type: integer, minimum: 1}
            recent:
              type: array
              maxItems: 100
              description: The last ones, the last first.
              items:
                type: object
                required: [at, reason]
                properties:
                  at: {$ref: '#/components/schemas/Time'}
                  reason: {$ref: '#/components/schemas/TurnedAwayReason'}
    TurnedAwayReason:
      type: string
      enum: [unknown_trigger, disabled, missing_signature, malformed_signature, timestamp_too_old, timestamp_too_new,
             wrong_signature, wrong_token, unreadable]
    Refusal:
      type: object
      required: [id, team_id, trigger_id, reason, detail, content_type, body, run_id, created_at, updated_at,
                 created_by, updated_by]
      properties:
        id: {$ref: '#/components/schemas/Id'}
        team_id: {$ref: '#/components/schemas/Id'}
        trigger_id: {$ref: '#/components/schemas/Id'}
        reason:
          type: string
          enum: [invalid_json, unsupported_content_type, too_large, workflow_gone, version_gone]
        detail: {type: string}
        content_type: {type: [string, 'null']}
        body: {type: [string, 'null'], description: 'The message as text; `null` where it is none, or erased.'}
        body_base64: {type: string, contentEncoding: base64, description: 'The message, where it is not text.'}
        run_id: {$ref: '#/components/schemas/IdOrNull', description: The run that it became when it was retried.}
        created_at: {$ref: '#/components/schemas/Time'}
        updated_at: {$ref: '#/components/schemas/Time'}
        created_by: {$ref: '#/components/schemas/Actor'}
        updated_by: {$ref: '#/components/schemas/Actor'}
        erased: {$ref: '#/components/schemas/Erased'}

    # Completion webhooks

    Action:
      type: string
      enum: [workflow_created, workflow_updated, workflow_deleted, workflow_run_started, workflow_run_completed,
             workflow_schedule_expired]
      description: |
        `workflow_run_started` at the first start of a run; `workflow_run_completed` at every end, also by failure and
        cancellation.
    NewSubscription:
      type: object
      additionalProperties: false
      required: [name, url, actions]
      properties:
        name: {$ref: '#/components/schemas/Name'}
        url: {$ref: '#/components/schemas/Url'}
        actions: {$ref: '#/components/schemas/WantedActions'}
        workflow_ids: {$ref: '#/components/schemas/WantedWorkflows', default: []}
        enabled: {type: boolean, default: true}
        timeout_seconds: {$ref: '#/components/schemas/DeliveryTimeout', default: 10}
        max_retries: {$ref: '#/components/schemas/DeliveryRetries', default: 3}
        retry_backoff_seconds: {$ref: '#/components/schemas/DeliveryBackoff', default: 10}
        bearer_token: {$ref: '#/components/schemas/BearerToken'}
    SubscriptionChanges:
      type: object
      additionalProperties: false
      properties:
        name: {$ref: '#/components/schemas/Name'}
        url: {$ref: '#/components/schemas/Url'}
        actions: {$ref: '#/components/schemas/WantedActions'}
        workflow_ids: {$ref: '#/components/schemas/WantedWorkflows'}
        enabled: {type: boolean}
        timeout_seconds: {$ref: '#/components/schemas/DeliveryTimeout'}
        max_retries: {$ref: '#/components/schemas/DeliveryRetries'}
        retry_backoff_seconds: {$ref: '#/components/schemas/DeliveryBackoff'}
        bearer_token: {$ref: '#/components/schemas/BearerToken'}
        clear_bearer_token: {type: boolean, default: false, description: Removes it; not together with `bearer_token`.}
    Subscription:
      type: object
      required: [id, team_id, name, url, actions, workflow_ids, enabled, gone, has_bearer_token, timeout_seconds,
                 max_retries, retry_backoff_seconds, circuit, revision, created_at, updated_at, created_by, updated_by]
      properties:
        id: {$ref: '#/components/schemas/Id'}
        team_id: {$ref: '#/components/schemas/Id'}
        name: {$ref: '#/components/schemas/Name'}
        url: {$ref: '#/components/schemas/Url'}
        actions: {$ref: '#/components/schemas/WantedActions'}
        workflow_ids: {$ref: '#/components/schemas/WantedWorkflows'}
        enabled: {type: boolean}
        gone: {type: boolean, description: 'Whether the receiver said that it is gone (410), which disabled it.'}
        has_bearer_token: {type: boolean}
        timeout_seconds: {$ref: '#/components/schemas/DeliveryTimeout'}
        max_retries: {$ref: '#/components/schemas/DeliveryRetries'}
        retry_backoff_seconds: {$ref: '#/components/schemas/DeliveryBackoff'}
        circuit:
          type: object
          description: Open while the receiver fails again and again; nothing is sent then.
          required: [state]
          properties:
            state: {type: string, enum: [closed, open, half_open]}
            open_until: {$ref: '#/components/schemas/Time', description: Of `open`.}
        revision: {$ref: '#/components/schemas/Revision'}
        created_at: {$ref: '#/components/schemas/Time'}
        updated_at: {$ref: '#/components/schemas/Time'}
        created_by: {$ref: '#/components/schemas/Actor'}
        updated_by: {$ref: '#/components/schemas/Actor'}
        secret: {$ref: '#/components/schemas/Secret'}
    WantedActions:
      type: array
      minItems: 1
      maxItems: 6
      items: {$ref: '#/components/schemas/Action'}
    WantedWorkflows:
      type: array
      maxItems: 100
      items: {$ref: '#/components/schemas/Id'}
      description: Only these workflows; all where there is none.
    DeliveryTimeout:
      type: integer
      minimum: 1
      maximum: 60
      description: Seconds to wait for the receiver's answer.
    DeliveryRetries:
      type: integer
      minimum: 0
      maximum: 10
      description: How often a delivery is tried again.
    DeliveryBackoff:
      type: integer
      minimum: 1
      maximum: 300
      description: Seconds before the first retry; the wait doubles, up to 30 minutes.
    BearerToken:
      type: string
      pattern: '^[!-~]([\t -~]*[!-~])?$'
      maxLength: 2000
      description: 'Sent as `Authorization: Bearer …`. Write-only.'
    DeliveryStatus:
      type: string
      enum: [pending, retrying, delivered, failed]
    Delivery:
      type: object
      description: One event on its way to one subscription.
      required: [id, team_id, subscription_id, action, position, occurred_at, workflow_id, run_id, schedule_id, status,
                 attempts, next_attempt_at, status_code, finished_at, created_at, updated_at, created_by, updated_by]
      properties:
        id: {$ref: '#/components/schemas/Id'}
        team_id: {$ref: '#/components/schemas/Id'}
        subscription_id: {$ref: '#/components/schemas/Id'}
        action: {$ref: '#/components/schemas/Action'}
        position: {$ref: '#/components/schemas/LogPosition', description: The entry whose event it tells of.}
        occurred_at: {$ref: '#/components/schemas/Time'}
        workflow_id: {$ref: '#/components/schemas/Id'}
        run_id: {$ref: '#/components/schemas/IdOrNull'}
        schedule_id: {$ref: '#/components/schemas/IdOrNull'}
        status: {$ref: '#/components/schemas/DeliveryStatus'}
        attempts: {type: integer, minimum: 0, description: How often it was sent.}
        next_attempt_at: {$ref: '#/components/schemas/TimeOrNull'}
        status_code: {type: [integer, 'null'], minimum: 100, maximum: 999, description: Of the last answer.}
        finished_at: {$ref: '#/components/schemas/TimeOrNull'}
        created_at: {$ref: '#/components/schemas/Time'}
        updated_at: {$ref: '#/components/schemas/Time'}
        created_by: {$ref: '#/components/schemas/Actor'}
        updated_by: {$ref: '#/components/schemas/Actor'}
    DeliveryAttempt:
      type: object
      required: [attempt, position, started_at, latency_ms, status_code, answer, error]
      properties:
        attempt: {type: integer, minimum: 0, description: Counted from 1; 0 where nothing was sent.}
        position: {$ref: '#/components/schemas/LogPosition'}
        started_at: {$ref: '#/components/schemas/Time'}
        latency_ms: {type: integer, minimum: 0}
        status_code: {type: [integer, 'null'], minimum: 100, maximum: 999}
        answer: {type: [string, 'null'], description: The beginning of the answer's body.}
        error: {type: [string, 'null'], description: 'Why there was no answer, or why it is no success.'}

    # Log

    Entry:
      type: object
      description: One accepted command, with all the events that it caused.
      required: [position, recorded_at, team_id, actor, actor_name, command, request_id, causation, traceparent, events]
      properties:
        position: {$ref: '#/components/schemas/LogPosition'}
        recorded_at: {$ref: '#/components/schemas/Time'}
        team_id: {$ref: '#/components/schemas/IdOrNull', description: '`null` of the service''s own entries.'}
        actor: {$ref: '#/components/schemas/Actor'}
        actor_name: {type: [string, 'null'], description: The name of the key that asked; null of any other actor.}
        command: {$ref: '#/components/schemas/CommandName'}
        request_id: {type: string, pattern: '^[0-9a-f]{32}$'}
        causation: {type: [integer, 'null'], minimum: 1, description: The position of the entry that it follows from.}
        traceparent: {type: [string, 'null'], description: The W3C trace context that came with the request.}
        events:
          type: array
          minItems: 1
          items:
            type: object
            description: |
              What happened. The other fields are the event's own, with the names that the objects have; a payload is
              `{"bytes", "sha256"}`, with the digest of its salt and its bytes.
            required: [event]
            properties:
              event: {$ref: '#/components/schemas/EventName'}
              previous:
                type: integer
                minimum: 0
                description: The position of the entry that touched the object before; 0 for none.
            additionalProperties: true
        changes:
          type: array
          description: Of histories; what the entry changed of the object.
          items:
            type: object
            required: [field, old, new]
            properties:
              field: {type: string}
              old: {description: 'Of payloads and definitions, `{"position"}` of the entry that brought it.'}
              new: {description: The same.}
        payloads:
          type: array
          description: Where they were asked for; what the events brought.
          items:
            type: object
            required: [event_index]
            properties:
              event_index: {type: integer, minimum: 0}
              salt: {type: string, contentEncoding: base64}
              base64: {type: string, contentEncoding: base64}
              erased: {$ref: '#/components/schemas/Erased'}
    CommandName:
      type: string
      enum: [initialise, start, stop, pause, resume, trust_clock, create_team, set_license, create_key, revoke_key,
             record_key_use, create_workflow, modify_workflow, set_concurrency, delete_workflow, rotate_secret,
             import_workflow, edit_draft, save_version, rename_version, activate_version, delete_version,
             create_schedule, modify_schedule, cancel_schedule, fire, execute, accept_hook, accept_message,
             refuse_message, retry_refusal, claim, renew_lease, accept, release, complete, fail, reap, retry, expire,
             cancel_run, create_trigger, modify_trigger, delete_trigger, create_subscription, modify_subscription,
             delete_subscription, record_delivery, redeliver, replay_deliveries, start_operation, finish_operation,
             advance_operation, erase]
    EventName:
      type: string
      enum: [initialised, started, stopped, paused, resumed, clock_trusted, team_created, license_set, key_created,
             key_revoked, keys_used, workflow_created, workflow_modified, concurrency_set, secret_rotated,
             workflow_deleted, workflow_closed, workflow_reopened, draft_edited, version_saved, version_renamed,
             version_activated, version_deleted, version_imported, schedule_created, schedule_modified,
             schedule_cancelled, schedule_fired, schedule_expired, run_queued, run_started, lease_renewed,
             run_accepted, run_released, run_completed, run_retry_scheduled, run_failed, run_requeued, run_cancelled,
             payloads_erased, trigger_created, trigger_modified, trigger_deleted, trigger_secret_rotated,
             message_refused, refusal_retried, subscription_created, subscription_modified, subscription_deleted,
             subscription_secret_rotated, delivery_succeeded, delivery_retry_scheduled, delivery_failed,
             delivery_requeued, deliveries_requeued, operation_started, operation_advanced, operation_finished]
    LogEvent:
      type: object
      description: A server-sent event of the log's stream.
      required: [id, event, data]
      properties:
        id: {type: string, pattern: '^(0|[1-9][0-9]*)$', description: The position up to which all was sent.}
        event: {type: string, enum: [entry, through]}
        data:
          type: string
          contentMediaType: application/json
          contentSchema:
            oneOf:
              - {$ref: '#/components/schemas/Entry'}
              - type: object
                required: [through]
                properties: {through: {type: integer, minimum: 0}}
    InclusionProof:
      type: object
      required: [position, tree_size, leaf_hash, hashes, checkpoint]
      properties:
        position: {$ref: '#/components/schemas/LogPosition'}
        tree_size: {type: integer, minimum: 1}
        leaf_hash: {$ref: '#/components/schemas/Hash'}
        hashes: {type: array, items: {$ref: '#/components/schemas/Hash'}}
        checkpoint: {type: string, description: 'The text that was signed, with its signature.'}
    ConsistencyProof:
      type: object
      required: [from, to, hashes, checkpoint]
      properties:
        from: {type: integer, minimum: 1}
        to: {type: integer, minimum: 1}
        hashes: {type: array, items: {$ref: '#/components/schemas/Hash'}}
        checkpoint: {type: string, description: 'The text that was signed, with its signature.'}
    Hash:
      type: string
      pattern: '^[A-Za-z0-9+/]{43}=$'
      description: SHA-256 in base 64.

    # Teams

    Role:
      type: string
      enum: [read, work, write, admin]
    Team:
      type: object
      required: [id, team_id, name, max_concurrent_runs, revision, created_at, updated_at, created_by, updated_by]
      properties:
        id: {$ref: '#/components/schemas/Id'}
        team_id: {$ref: '#/components/schemas/Id', description: The same as `id`.}
        name: {$ref: '#/components/schemas/Name'}
        max_concurrent_runs: {$ref: '#/components/schemas/TeamConcurrency'}
        revision: {$ref: '#/components/schemas/Revision'}
        created_at: {$ref: '#/components/schemas/Time'}
        updated_at: {$ref: '#/components/schemas/Time'}
        created_by: {$ref: '#/components/schemas/Actor'}
        updated_by: {$ref: '#/components/schemas/Actor'}
    ApiKey:
      type: object
      required: [id, team_id, role, name, expires_at, revoked_at, last_used_at, created_at, updated_at, created_by,
                 updated_by]
      properties:
        id: {$ref: '#/components/schemas/Id'}
        team_id: {$ref: '#/components/schemas/Id'}
        role: {$ref: '#/components/schemas/Role'}
        name: {$ref: '#/components/schemas/Name'}
        expires_at: {$ref: '#/components/schemas/TimeOrNull'}
        revoked_at: {$ref: '#/components/schemas/TimeOrNull'}
        last_used_at: {$ref: '#/components/schemas/TimeOrNull', description: Exact within minutes.}
        created_at: {$ref: '#/components/schemas/Time'}
        updated_at: {$ref: '#/components/schemas/Time'}
        created_by: {$ref: '#/components/schemas/Actor'}
        updated_by: {$ref: '#/components/schemas/Actor'}
        key:
          type: string
          pattern: '^dbk_[0-9a-f]{24}_[0-9A-Za-z]{33}$'
          description: The key itself. Only in the answer that made it.

    # Operation

    Readiness:
      type: object
      required: [status]
      properties:
        status: {type: string, enum: [ready, not_ready]}
        reasons:
          type: array
          items: {type: string}
          description: Why it is not ready. Only with a key.
        warnings:
          type: array
          items: {type: string}
          description: What will be wrong soon. Only with a key.
    Rebuild:
      type: object
      required: [status, started_at, finished_at]
      properties:
        status: {type: string, enum: [replaying, comparing, finished, failed]}
        started_at: {$ref: '#/components/schemas/Time'}
        finished_at: {$ref: '#/components/schemas/TimeOrNull'}
        position: {type: integer, minimum: 0, description: 'Of `replaying`: the last entry that was replayed.'}
        of: {type: integer, minimum: 0, description: 'Of `replaying`: the last entry there is.'}
        table: {type: string, description: 'Of `comparing`.'}
        error: {type: string, description: 'Of `failed`.'}
        entries: {type: integer, minimum: 0, description: 'Of `finished`: how many were replayed.'}
        differences:
          type: [integer, 'null']
          minimum: 0
          description: >-
            Of `finished`: rows of the old projections that were not what the log gives; null where they could not be
            compared.
        told:
          type: array
          description: 'Of `finished`: the first of the differences.'
          items:
            type: object
            required: [table, key, what]
            properties:
              table: {type: string}
              key: {type: string, pattern: '^([0-9a-f]{2})*$'}
              what: {type: string}

"""##

/// The files of `Sources/DaybookHTTP/Page`, by name.
static let page: [String: String] = [
"acts.js": ##"""
/** What can be done to schedules, runs and workflows, as dialogs. */

import { get, session } from './api.js';
import { bdi, h, replace, words } from './dom.js';
import { Mistake, ask, checkField, choiceField, jsonField, textField, timeField } from './forms.js';
import { indent } from './json.js';
import { workflowChoices, workflow, workflowText } from './names.js';
import { HOUR, MINUTE, both, fullTime } from './time.js';

const numberText = (number) => (number === 0 ? 'draft' : `version ${number}`);

export const versionText = ({ version_number: number, version_name: name, is_active: isActive }) =>
	`${numberText(number)}${name ? ` – ${name}` : ''}${isActive ? ' (active)' : ''}`;

function versionField(unpinned, value) {
	// What is chosen stays chosen before the others are known, and where they are too many.
	const given = Number.isInteger(value) ? [[String(value), numberText(value)]] : [];
	const field = choiceField('version', 'Version', [['', unpinned], ...given], { value: value ?? '' });
	let asked = null;
	return {
		...field,
		async follow(id) {
			if (asked) replace(field.input, h('option', { value: '' }, unpinned));
			asked = id;
			const list = id ? (await get(`/workflows/${id}/versions`, { limit: 100 })).items : [];
			if (asked !== id) return;
			const chosen = field.input.value;
			replace(field.input, h('option', { value: '' }, unpinned),
				list.map((one) => h('option', { value: String(one.version_number) }, versionText(one))));
			if (given.length && !list.some((one) => one.version_number === value)) field.input.append(h('option', { value }, numberText(value)));
			field.input.value = chosen;
		},
		read: () => (field.input.value === '' ? undefined : Number(field.input.value)),
	};
}

const inputField = (value) => jsonField('run_input', 'Run input (JSON)', { value });
const endField = (value) => timeField('expires_at', 'Not later than', { value });
const priorityField = (value) => textField('priority', 'Priority', { type: 'number', min: 0, max: 9, value,
	hint: '0 to 9; higher goes first. 5 unless said otherwise.' });
const whenField = (value) => timeField('scheduled_time', 'When', { value, required: true });
export const limitField = (value, hint) => textField('max_concurrent_runs', 'Runs at once',
	{ type: 'number', min: 0, max: 1000000, value, required: true, hint });
export const nameField = (value, hint) => textField('name', 'Name', { value, hint, required: true, maxlength: 150 });

export function createSchedule(chosen) {
	const version = versionField('the one active when it fires');
	const which = choiceField('workflow_id', 'Workflow', [['', 'Choose…'], ...workflowChoices()],
		{ value: chosen ?? '', onchange: () => version.follow(which.input.value) });
	which.isOutside = true;
	version.follow(chosen);
	return ask({
		title: 'New schedule', action: 'Promise it', done: (made) => `Promised for ${both(made.scheduled_time)}.`,
		path() {
			if (!which.read()) throw new Mistake('Choose a workflow.', 'workflow_id');
			return `/workflows/${which.read()}/schedules`;
		},
		fields: [which, whenField(new Date(Math.ceil((Date.now() + HOUR) / MINUTE) * MINUTE).toISOString()), inputField(), version,
			textField('scheduled_by_name', 'Asked by', { value: session.key_name, maxlength: 150 })],
		more: [endField(), priorityField(), textField('dedup_key', 'De-duplication key',
			{ hint: 'A second promise with the same key is refused while this one is pending.' })],
	});
}

const raced = (id) => async (error) => {
	if (error.code !== 'not_pending') return error;
	const now = await get(`/workflow-schedules/${id}`);
	const state = words(now.status);
	return new Mistake(now.fired_at ? `Too late: it already fired at ${both(now.fired_at)} and is ${state}.`
		: `Too late: it is ${state} since ${both(now.updated_at)}.`);
};

/** Moves a promise; `target` is where a mark was dragged to. */
export async function moveSchedule(id, target) {
	const path = `/workflow-schedules/${id}`;
	const schedule = await get(path);
	return ask({
		title: 'Move this promise?', action: 'Move', method: 'PATCH', path, etag: schedule.etag, failed: raced(id),
			done: (moved) => `Moved to ${both(moved.scheduled_time)}.`,
		content: h('p', 'The promise of ', bdi(workflowText(schedule.workflow_id)), ' for ', fullTime(schedule.scheduled_time),
			` is ${words(schedule.status)}. It is to move to:`),
		fields: [whenField(target ?? schedule.scheduled_time)],
	});
}

export async function editSchedule(id) {
	const path = `/workflow-schedules/${id}`;
	const schedule = await get(path);
	const text = schedule.run_input?.text ?? 'null';
	const version = versionField('the one active when it fires', schedule.version);
	version.follow(schedule.workflow_id);
	return ask({
		title: 'Change this promise', method: 'PATCH', path, etag: schedule.etag, failed: raced(id), done: 'The promise is changed.',
		fields: [whenField(schedule.scheduled_time), inputField(text), version, endField(schedule.expires_at),
			priorityField(schedule.priority)],
		body: (read) => ({ ...read, run_input: read.run_input?.text === text ? undefined : read.run_input ?? null,
			version: read.version ?? null, expires_at: read.expires_at ?? null }),
	});
}

export async function cancelSchedule(id) {
	const path = `/workflow-schedules/${id}`;
	const schedule = await get(path);
	return ask({
		title: 'Cancel this promise?', action: 'Cancel the promise', danger: true, method: 'DELETE', path, etag: schedule.etag,
			failed: raced(id), done: 'The promise is cancelled: it will not fire.',
		content: h('p', bdi(workflowText(schedule.workflow_id)), ' for ', fullTime(schedule.scheduled_time),
			' will not run. This cannot be taken back.'),
	});
}

/** Runs a workflow now; with `like`, a run whose input and version are taken over. */
export async function runNow(id, like) {
	const version = versionField(`the active one (${workflow(id)?.active_version ?? '?'})`, like?.version);
	version.isOutside = true;
	version.follow(id);
	const made = await ask({
		title: like ? 'Run it again' : ['Run ', bdi(workflowText(id)), ' now'], action: 'Run now', path: `/workflows/${id}/execute`,
			query: () => ({ version: version.read() }), done: 'The run is queued.',
		fields: [inputField(like?.run_input?.text), version], more: [endField(), priorityField(like?.priority)],
	});
	if (made) location.hash = `#/runs/${made.id}`;
}

export const cancelRun = (run) => ask({
	title: 'Cancel this run?', action: 'Cancel the run', danger: true, path: `/workflow-runs/${run.id}/cancel`, done: 'The run is cancelled.',
	content: h('p', run.status === 'queued'
		? 'It will not start.' : 'Whoever carries it out may not notice before it is done; its answer will not count.',
		run.schedule_id ? ' Its schedule becomes failed.' : ''),
});

export async function createWorkflow() {
	const made = await ask({
		title: 'New workflow', action: 'Make it', path: '/workflows', done: 'The workflow is made.',
		fields: [nameField(), textField('description', 'Description'), jsonField('definition', 'Definition (JSON)',
			{ value: '{\n  "executor": {"type": "echo"}\n}', required: true })],
	});
	if (made) location.hash = `#/workflows/${made.id}`;
}

const seconds = (name, label, value, min = 0, max = 86400) => textField(name, label, { type: 'number', min, max, value, required: true });

export async function editWorkflow(id) {
	const path = `/workflows/${id}`;
	const now = await get(path);
	return ask({
		title: 'Settings', method: 'PATCH', path, etag: now.etag, done: 'The settings are saved.',
		fields: [nameField(now.name), textField('description', 'Description', { value: now.description }),
			seconds('run_timeout_seconds', 'Time-out of a run, in seconds', now.run_timeout_seconds, 1),
			seconds('max_attempts', 'Tries', now.retry.max_attempts, 1, 100),
				seconds('initial_backoff_seconds', 'First wait between tries, in seconds', now.retry.initial_backoff_seconds),
			seconds('max_backoff_seconds', 'Longest wait, in seconds', now.retry.max_backoff_seconds)],
		body: ({ name, description, run_timeout_seconds, ...retry }) => ({ name, description: description ?? null, run_timeout_seconds,
			retry }),
	});
}

export async function limitWorkflow(id) {
	const now = await get(`/workflows/${id}`);
	return ask({
		title: 'Concurrency', method: 'PATCH', path: `/workflows/${id}/concurrency`, etag: now.etag, done: 'The limit is set.',
		fields: [limitField(now.max_concurrent_runs, "0: the team's license alone holds.")],
	});
}

export async function pauseWorkflow(id) {
	const path = `/workflows/${id}`;
	const { paused, etag } = await get(path);
	return ask({
		title: paused ? 'Let it run again?' : 'Pause this workflow?', action: paused ? 'Resume' : 'Pause', method: 'PATCH', path, etag,
			body: { paused: !paused }, done: paused ? 'The workflow goes on.' : 'The workflow is paused.',
		content: h('p', paused ? 'Queued runs start as there are slots.'
			: 'Its schedules still fire; their runs wait until it goes on. Runs in progress are not touched.'),
	});
}

export async function editDraft(id) {
	const draft = await get(`/workflows/${id}/versions/0`);
	return ask({
		title: 'Edit the draft', wide: true, method: 'PUT', path: `/workflows/${id}/versions/0/definition`,
			body: (read) => read.definition.text, done: 'The draft is saved.',
		content: draft.is_active && h('p.hint', 'The draft is the active version: what is queued from now on runs like this.'),
		fields: [jsonField('definition', 'Definition (JSON)', { value: indent(draft.definition.text), required: true })],
	});
}

export const saveVersion = (id) => ask({
	title: 'Save the draft as a version', path: `/workflows/${id}/versions`, done: (made) => `Version ${made.version_number} is saved.`,
	fields: [textField('version_name', 'Name', { maxlength: 150 }), checkField('mark_as_active', 'Make it the active version at once')],
});

export async function activate(id, version) {
	const now = await get(`/workflows/${id}`);
	const isBack = version.version_number < now.active_version;
	return ask({
		title: `${isBack ? 'Roll back to' : 'Activate'} ${numberText(version.version_number)}?`, action: isBack ? 'Roll back' : 'Activate',
			path: `/workflows/${id}/versions/${version.version_number}/activate`, etag: now.etag, done: 'The version is active.',
		content: [h('p', `Active is ${numberText(now.active_version)}.`), h('p', 'What fires or is run from now on takes ',
			numberText(version.version_number), '; what is queued already keeps what it was queued with.')],
	});
}

"""##,
"api.js": ##"""
/** The REST API. */

import { parse, compose } from './json.js';

const MARK = 'daybook-signed-in';
const PAYLOADS = new Set(['run_input', 'output', 'definition']);

export let session = null;

export const ended = new EventTarget();

/** An answer that says what is wrong (RFC 9457), or that there was none. */
class Problem extends Error {
	constructor(body, status) {
		super(body.detail ?? body.title ?? 'the request failed');
		Object.assign(this, { status, code: body.code ?? 'unknown', body, errors: body.errors ?? [] });
	}
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** One act of the user: however often it is sent, it is done once. */
export class Act {
	constructor() { this.renew(); }

	renew() { this.key = `page-${hex(crypto.getRandomValues(new Uint8Array(16)))}`; }
}

export function queryText(query) {
	const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== '');
	return given.length ? `?${new URLSearchParams(given)}` : '';
}

async function send(method, path, { query, headers = {}, body, signal } = {}) {
	if (!session && path !== '/session') throw new DOMException('nobody is signed in', 'AbortError');
	try {
		return await fetch(path + queryText(query), { method, headers, body, signal, cache: 'no-store', redirect: 'error' });
	} catch (error) {
		if (error.name === 'AbortError') throw error;
		throw new Problem({ code: 'unreachable', detail: 'the server cannot be reached' }, 0);
	}
}

async function checked(answer) {
	if (answer.ok) return answer;
	let body = {};
	try { body = await answer.json(); } catch { body = { detail: `the server answered ${answer.status}` }; }
	if (answer.status === 401 && session) end('Your key was revoked or its session has ended. Sign in again.');
	throw new Problem(body, answer.status);
}

function end(why) {
	session = null;
	memory((has) => has.removeItem(MARK));
	ended.dispatchEvent(new CustomEvent('ended', { detail: why }));
}

/** Reads an object or a list; payloads in it are `Raw`. */
export async function get(path, query, signal) {
	const answer = await checked(await send('GET', path, { query, signal }));
	const object = parse(await answer.text(), PAYLOADS);
	const tag = answer.headers.get('ETag');
	if (tag) Object.defineProperty(object, 'etag', { value: tag });
	return object;
}

/** Reads a list of entries: what stands in them is shown, not sent back. */
export async function getPlain(path, query, signal) {
	return (await checked(await send('GET', path, { query, signal }))).json();
}

export const getText = async (path, query) => (await checked(await send('GET', path, { query }))).text();

export async function getBytes(path) {
	const answer = await checked(await send('GET', path, { headers: { Accept: 'application/protobuf' } }));
	return new Uint8Array(await answer.arrayBuffer());
}

/**
 * Changes something. `act` makes a repeat harmless, `etag` makes sure that the change is of what was seen.
 */
export async function change(method, path, { act, etag, body, query } = {}) {
	const headers = { 'Daybook-CSRF': session?.csrf_token ?? '' };
	if (act) headers['Idempotency-Key'] = act.key;
	if (etag) headers['If-Match'] = etag;
	if (body !== undefined) headers['Content-Type'] = 'application/json';
	const text = body === undefined || typeof body === 'string' ? body : compose(body);
	try {
		const answer = await checked(await send(method, path, { query, headers, body: text }));
		const said = await answer.text();
		return said ? parse(said, PAYLOADS) : {};
	} catch (error) {
		if (error.code === 'idempotency_key_reused') {
			act?.renew();
			error.message = 'an earlier sending was accepted after all; look at it first: sent once more, this is a second act';
		}
		throw error;
	}
}

const RANKS = { read: 'read', work: 'work', write: 'read work write', admin: 'read work write admin' };

export const may = (role) => RANKS[session?.role]?.includes(role) ?? false;

/** The browser's memory, where it lets the page have one. */
export const memory = (act) => {
	try { return act(localStorage); } catch { return undefined; }
};

// The tabs of a browser have one session: who signs in or out in one does so in all.
addEventListener('storage', (event) => { if (event.key === MARK) location.reload(); });

/** Takes up the session that the browser has; the cookie itself is hidden from the page. */
export async function resume() {
	if (memory((has) => has.getItem(MARK)) === null) return null;
	const answer = await send('GET', '/session');
	session = answer.status === 401 ? null : await (await checked(answer)).json();
	return session;
}

export async function signIn(key) {
	const headers = { 'Content-Type': 'application/json' };
	session = await (await checked(await send('POST', '/session', { headers, body: JSON.stringify({ key }) }))).json();
	memory((has) => has.setItem(MARK, session.expires_at));
	return session;
}

export async function signOut(why = 'You are signed out.') {
	await change('DELETE', '/session');
	end(why);
}

export const everything = async (path, signal) => (await pages(path, {}, { items: 2000, pages: 20, signal })).items;

export async function pages(path, query, { items = 100, pages: most = 5, signal } = {}) {
	const all = [];
	let cursor = null;
	for (let count = 0; count < most; count += 1) {
		const page = await get(path, { limit: 100, ...query, cursor }, signal);
		all.push(...page.items);
		cursor = page.next_cursor;
		if (!cursor || all.length >= items) break;
	}
	return { items: all, more: cursor !== null };
}

"""##,
"app.js": ##"""
/** Signing in, the way from view to view, how live it is. */

import { ended, get, may, queryText, resume, session, signIn, signOut } from './api.js';
import { bdi, box, button, h, link, replace, throttle } from './dom.js';
import { hear, retry, start, stop } from './live.js';
import { forget, note, ready, refresh } from './names.js';
import { isUTC, zone } from './time.js';
import { problemBox, say } from './widgets.js';
import * as admin from './view-admin.js';
import * as hooks from './view-hooks.js';
import * as log from './view-log.js';
import * as now from './view-now.js';
import * as runs from './view-runs.js';
import * as schedules from './view-schedules.js';
import * as workflows from './view-workflows.js';

const VIEWS = {
	now: [now.view], schedules: [schedules.view, schedules.one], runs: [runs.view, runs.one], workflows: [workflows.view, workflows.one],
	triggers: [hooks.view, hooks.one], webhooks: [hooks.webhooks, hooks.webhook], log: [log.view, log.one], admin: [admin.view],
};
const MENU = { now: 'Now', schedules: 'Schedules', runs: 'Runs', workflows: 'Workflows', log: 'Log', admin: 'License & keys' };
const TITLES = { ...MENU, triggers: 'Triggers' };
const UNDER = { triggers: 'workflows', webhooks: 'workflows' };

const icon = (size) => h('img', { src: '/page/icon.svg', alt: '', width: size, height: size });
const app = document.getElementById('app');
let current = null;
let unhear = null;
let visits = 0;

function place() {
	const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
	const [name, id] = path.split('/');
	return { name: name || 'now', id, query: Object.fromEntries(new URLSearchParams(query)) };
}

const closeDialogs = () => document.querySelectorAll('dialog').forEach((dialog) => dialog.close());

function go(query) {
	const { name, id } = place();
	location.hash = `#/${name}${id ? `/${id}` : ''}${queryText(query)}`;
}

async function visit(isFirst) {
	if (!session) return;
	const mine = ++visits;
	closeDialogs();
	current?.end();
	current = null;
	const { name, id, query } = place();
	const make = VIEWS[name]?.[id ? 1 : 0];
	const heading = h('h1', { tabindex: '-1' }, TITLES[name] ?? 'Daybook');
	const body = h('div', h('p.quiet.loading', 'Loading…'));
	replace(document.querySelector('main'), heading, body);
	for (const item of document.querySelectorAll('nav.menu a')) {
		if (item.dataset.view === (UNDER[name] ?? name)) item.setAttribute('aria-current', 'page');
		else item.removeAttribute('aria-current');
	}
	if (!isFirst) heading.focus({ preventScroll: true });
	scrollTo(0, 0);
	try {
		await ready();
		const made = make ? await make({ id, query, go }) : { node: h('p', 'There is no such page. ', link('#/now', 'Go to Now')),
			title: 'Not found', end() {} };
		if (mine !== visits) { made.end(); return; }
		current = made;
		if (made.title) replace(heading, made.title);
		replace(body, made.node);
		document.title = `${heading.textContent} – Daybook`;
	} catch (error) {
		if (mine === visits && session) replace(body, problemBox(error, () => visit(true)));
		if (!('code' in error)) console.error(error);
	}
}

const STATES = { live: '● Live', lost: '○ Connection lost', off: '○ Connecting' };

function connection() {
	const text = h('span', STATES.off);
	const at = h('a.number', { href: '#/log' });
	const again = button('Try now', retry, { class: 'plain', hidden: true });
	const node = h('div.connection', text, at, again);
	function heard(state, before, position) {
		at.textContent = position === null ? '' : `#${position}`;
		// A session that has ended looks like a lost connection from here.
		if (state === 'lost') get('/session').catch(() => {});
		if (state === before) return;
		node.dataset.state = state;
		text.textContent = STATES[state];
		again.hidden = state !== 'lost';
		if (state === 'lost' && before === 'live') say('The connection is lost. What is shown may be out of date.');
		if (state === 'live' && before === 'lost') say('The connection is back; what was missed is caught up.');
	}
	return { node, heard };
}

function enter() {
	const live = connection();
	document.body.className = 'inside';
	replace(app, h('header', h('a.brand', { href: '#/now' },
		icon(22), 'Daybook'),
		h('nav.menu', { 'aria-label': 'Main' },
			Object.entries(MENU).map(([name, text]) => h('a', { href: `#/${name}`, 'data-view': name }, text))),
		h('div.who', live.node, h('span.quiet', bdi(session.key_name), ` · ${session.role}`),
			button('Sign out', () => signOut().catch((error) => say(`${error.message} (${error.code})`))))),
	h('main', { id: 'main' }), h('footer.quiet.small', isUTC
		? 'Times are UTC.' : `Times are those of ${zone}; UTC stands beside them or in their tip.`));
	const renamed = throttle(500, refresh);
	unhear = hear((entries) => {
		entries.forEach(note);
		renamed();
	});
	start(live.heard);
	visit(true);
}

function leave(why) {
	stop();
	unhear?.();
	current?.end();
	current = null;
	visits += 1;
	forget();
	closeDialogs();
	document.body.className = 'outside';
	document.title = 'Sign in – Daybook';
	const key = h('input', { id: 'key', type: 'password', autocomplete: 'current-password', spellcheck: 'false', 'aria-required': 'true',
		'aria-describedby': 'key-hint' });
	const wrong = h('div', why && h('p.note', { role: 'status' }, why));
	const form = h('form', {
		onsubmit: async (event) => {
			event.preventDefault();
			try {
				await signIn(key.value.trim());
				// After a restart the server may have a newer page.
				if (may('read') && why) { location.reload(); return; }
				if (may('read')) { enter(); return; }
				await signOut('This key carries out runs and sees nothing. Sign in with a key of the role read, write or admin.');
				return;
			} catch (error) {
				replace(wrong, problemBox(error));
			}
			key.focus();
		},
	}, h('div.field', h('label', { for: 'key' }, 'API key'), key,
		h('p.hint', { id: 'key-hint' }, 'It begins with dbk_. The page keeps no copy of it.')), wrong,
		box('actions', h('button', { type: 'submit', class: 'primary' }, 'Sign in')));
	replace(app, h('main', { id: 'main', class: 'sign-in' }, icon(44),
		h('h1', { tabindex: '-1' }, 'Daybook'), form));
	key.focus();
}

// What a click could not do, and nothing else tells.
addEventListener('unhandledrejection', (event) => {
	const { reason } = event;
	if (reason.name !== 'AbortError' && !reason.body) return;
	event.preventDefault();
	if (reason.body && session) say(`That did not work: ${reason.message} (${reason.code}).`);
});
ended.addEventListener('ended', (event) => leave(event.detail));
addEventListener('hashchange', () => visit(false));
document.querySelector('.skip').addEventListener('click', (event) => {
	event.preventDefault();
	document.querySelector('main h1')?.focus();
});

try {
	if ((await resume()) && may('read')) enter();
	else leave();
} catch (error) {
	replace(app, h('main', { id: 'main' }, h('h1', 'Daybook'), problemBox(error, () => location.reload())));
}

"""##,
"dom.js": ##"""
/** DOM without parsing HTML: whatever a name or a payload says, it stays text. */

const SVG = 'http://www.w3.org/2000/svg';
const PROPERTIES = new Set(['value', 'checked', 'disabled', 'selected', 'indeterminate', 'htmlFor', 'textContent']);

function fill(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes ?? {})) {
		if (value === undefined || value === null || value === false) continue;
		if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
		else if (PROPERTIES.has(name)) node[name] = value;
		else node.setAttribute(name, value === true ? '' : value);
	}
	put(node, children);
	return node;
}

function put(node, children) {
	for (const child of children.flat(Infinity)) {
		if (child === undefined || child === null || child === false) continue;
		node.append(child instanceof Node ? child : String(child));
	}
}

/** An element: `h('p.quiet', {onclick: act}, 'text', h('b', '!'))`; attributes may be left out. */
export function h(tag, ...rest) {
	const [name, ...classes] = tag.split('.');
	const node = document.createElement(name);
	if (classes.length) node.className = classes.join(' ');
	return fill(node, rest[0]?.constructor === Object ? rest.shift() : null, rest);
}

export const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

export function replace(node, ...children) {
	node.replaceChildren();
	put(node, children);
}

/** Somebody else's text: its direction stays its own. */
export const bdi = (text, attributes) => h('bdi', { dir: 'auto', ...attributes }, text);

export const box = (name, ...children) => h('div', { class: name }, ...children);

export const quiet = (...children) => h('p.quiet', ...children);

export const link = (href, ...children) => h('a', { href }, ...children);

/** While what a button does is under way, its dialog included, another click does nothing. */
export function button(label, act, attributes) {
	let isBusy = false;
	const onclick = async () => {
		if (isBusy) return;
		isBusy = true;
		try { await act(); } finally { isBusy = false; }
	};
	return h('button', { type: 'button', onclick, ...attributes }, label);
}

/** Names and values, for facts about one thing; pairs without a value are left out. */
export const facts = (pairs) => h('dl.facts',
	pairs.filter(([, value]) => value || value === 0).map(([name, ...value]) => h('div', h('dt', name),
	h('dd', ...value))));

export const words = (name) => name.replaceAll('_', ' ');

let last = 0;
export const newID = (prefix = 'id') => `${prefix}-${++last}`;

/** Calls at most once in so many ms, and once more at the end. */
export function throttle(milliseconds, act) {
	let timer = null;
	let next = 0;
	const run = () => {
		timer = null;
		next = performance.now() + milliseconds;
		act();
	};
	return () => {
		timer ??= setTimeout(run, Math.max(0, next - performance.now()));
	};
}

"""##,
"forms.js": ##"""
/** Dialogs and their fields. A dialog is one act: sent twice, it is done once. */

import { Act, change } from './api.js';
import { box, button, h, newID, replace } from './dom.js';
import { JSONMistake, Raw, parse } from './json.js';
import { both, fieldValue, isUTC, isUntouched, readField, utc, zone } from './time.js';
import { problemBox, say } from './widgets.js';

/**
 * Asks and acts: sends what the fields say, and `body`, to `path`. What goes wrong is shown, and can be tried again.
 * @param failed is told what went wrong and may give a better word for it.
 * @returns what was answered, or `undefined` where the dialog was left.
 */
export function ask({ title, content, fields = [], more = [], action = 'Save', method = 'POST', path, etag, query, body, send,
	danger = false, done, failed, wide = false }) {
	return new Promise((resolve) => {
		const act = new Act();
		send ??= () => {
			const read = Object.fromEntries([...fields, ...more].filter((field) => !field.isOutside).map((field) => [field.input.name,
				field.read()]));
			const sent = typeof body === 'function' ? body(read) : { ...read, ...body };
			return change(method, typeof path === 'function' ? path() : path,
				{ act, etag, query: query?.(), body: method === 'DELETE' ? undefined : sent });
		};
		const id = newID('dialog');
		const wrong = h('div.wrong');
		const ok = h('button', { type: 'submit', class: danger ? 'danger' : 'primary' }, action);
		let result;
		let isSending = false;
		const form = h('form', {
			novalidate: true,
			onsubmit: async (event) => {
				event.preventDefault();
				if (isSending) return;
				isSending = true;
				ok.setAttribute('aria-disabled', 'true');
				replace(wrong);
				for (const field of form.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid');
				try {
					result = await send();
					if (done) say(typeof done === 'function' ? done(result) : done);
					dialog.close();
				} catch (thrown) {
					const error = clearer((await failed?.(thrown).catch(() => null)) ?? thrown);
					replace(wrong, error instanceof Mistake ? h('p.problem', { role: 'alert' }, error.message) : problemBox(error));
					mark(form, error);
					if (!(error instanceof Mistake) && !('code' in error)) console.error(error);
				}
				isSending = false;
				ok.removeAttribute('aria-disabled');
			},
		}, h('h2', { id }, title), content, fields.map((field) => field.node),
		more.length > 0 && h('details', h('summary', 'More'), more.map((field) => field.node)), wrong,
		box('actions', ok, path && button('Cancel', () => dialog.close())));
		const dialog = h('dialog', { 'aria-labelledby': id, class: wide ? 'wide' : undefined }, form);
		const before = document.activeElement;
		dialog.addEventListener('close', () => {
			dialog.remove();
			// What was drawn anew meanwhile is there as another node.
			const name = ['href', 'data-thing'].find((one) => before?.hasAttribute(one));
			const again = name && document.querySelector(`main [${name}="${CSS.escape(before.getAttribute(name))}"]`);
			if (!before?.isConnected) (again || document.querySelector('main h1'))?.focus();
			resolve(result);
		});
		document.body.append(dialog);
		dialog.showModal();
	});
}

export const tell = (title, content, wide) => ask({ title, content, wide, action: 'Close', send: async () => true });

export class Mistake extends Error {
	constructor(message, field) {
		super(message);
		this.field = field;
	}
}

const clearer = (error) => (error.status === 412
	? new Mistake('It was changed meanwhile. Nothing was done: leave this, look at how it is now, and do it again.') : error);

function mark(form, error) {
	const names = error.errors?.map(({ pointer }) => pointer.replace(/^[/?]/, '').split('/')[0]) ?? [error.field];
	const fields = names.map((name) => name && form.querySelector(`[name="${CSS.escape(name)}"]`)).filter(Boolean);
	for (const field of fields) field.setAttribute('aria-invalid', 'true');
	fields[0]?.focus();
}

function labelled(label, control, hint) {
	const id = newID('field');
	const field = h('div.field', h('label', { for: id }, label), control,
		hint && h('p.hint', { id: `${id}-hint` }, hint));
	control.id = id;
	if (hint) control.setAttribute('aria-describedby', `${id}-hint`);
	return field;
}

/** Text or a number; `read()` gives `undefined` where it is empty. */
export function textField(name, label, { value = '', hint, type = 'text', min, max, required = false, autocomplete = 'off',
	maxlength } = {}) {
	const input = h('input', { name, type, min, max, maxlength, autocomplete, spellcheck: 'false', dir: type === 'text' ? 'auto' : undefined,
		value: value ?? '', 'aria-required': required && 'true' });
	return {
		node: labelled(label, input, hint),
		input,
		read() {
			const text = input.value.trim();
			if (text === '' && input.validity.badInput) throw new Mistake(`${label}: that is not a number.`, name);
			if (text === '') {
				if (required) throw new Mistake(`${label} is needed.`, name);
				return undefined;
			}
			return type === 'number' ? Number(text) : text;
		},
	};
}

export function choiceField(name, label, options, { value, hint, onchange } = {}) {
	const select = h('select', { name, onchange }, options.map(([key, text]) => h('option', { value: key }, text)));
	if (value !== undefined) select.value = value;
	return { node: labelled(label, select, hint), input: select, read: () => select.value || undefined };
}

export function checkField(name, label, value = false) {
	const id = newID('check');
	const input = h('input', { type: 'checkbox', name, id, checked: value });
	return { node: h('div.field.check', input, h('label', { for: id }, label)), input, read: () => input.checked };
}

/** A time, entered where the reader is or in UTC, and told back in both. */
export function timeField(name, label, { value, required = false } = {}) {
	const input = h('input', { name, type: 'datetime-local', step: '1', autocomplete: 'off',
		'aria-required': required && 'true', oninput: () => tell() });
	const mode = h('select', { 'aria-label': `${label}: zone` }, !isUTC && h('option', { value: 'local' }, zone),
		h('option', { value: 'utc' }, 'UTC'));
	const echo = h('output.echo');
	const inUTC = () => mode.value === 'utc';
	let original = null;
	let meant = null;
	function tell() {
		// What was not touched keeps the digits that the field does not show, and which of two equal times it is.
		meant = isUntouched(input.value, original, inUTC()) ? { instant: original } : readField(input.value, inUTC());
		replace(echo, meant ? [isUTC || inUTC() ? utc(meant.instant) : both(meant.instant),
			meant.note && h('strong', ` ${meant.note}`)] : 'No time yet');
	}
	function set(instant) {
		original = instant;
		input.value = fieldValue(instant, inUTC());
		tell();
	}
	mode.addEventListener('change', () => { if (meant) set(meant.instant); else tell(); });
	if (value) set(value);
	tell();
	const field = labelled(label, input);
	const row = box('row');
	input.replaceWith(row);
	row.append(input, mode);
	field.append(echo);
	return {
		node: field,
		input,
		set,
		read() {
			tell();
			if (!meant && (required || input.validity.badInput)) throw new Mistake(`${label}: give a date and a time.`, name);
			return meant?.instant;
		},
	};
}

/** An editor for JSON that shows where the text goes wrong; what was typed is sent byte for byte. */
export function jsonField(name, label, { value = '', hint, required = false } = {}) {
	const area = h('textarea', { name, rows: '7', spellcheck: 'false', dir: 'auto', autocomplete: 'off', value, oninput: () => tell() });
	const state = h('p.hint', { id: newID('json') });
	const check = () => {
		if (area.value.trim() === '') return null;
		try {
			parse(area.value);
			return null;
		} catch (error) {
			if (error instanceof JSONMistake) return error;
			throw error;
		}
	};
	function tell() {
		const mistake = check();
		area.setAttribute('aria-invalid', mistake ? 'true' : 'false');
		const [title, ...more] = mistake
			? [`Line ${mistake.line}, column ${mistake.column}: ${mistake.message} `, button('Go there', () => go(mistake), { class: 'plain' })]
			: [area.value.trim() ? `JSON, ${new Blob([area.value.trim()]).size.toLocaleString('en')} bytes` : hint ?? 'Empty: null'];
		state.className = mistake ? 'hint bad' : 'hint';
		replace(state, title, ...more);
	}
	function go(mistake) {
		area.focus();
		area.setSelectionRange(mistake.offset, mistake.offset + 1);
	}
	tell();
	const field = labelled(label, area);
	area.setAttribute('aria-describedby', state.id);
	field.append(state);
	return {
		node: field,
		input: area,
		read() {
			const mistake = check();
			if (mistake) {
				go(mistake);
				throw new Mistake(`${label}, line ${mistake.line}, column ${mistake.column}: ${mistake.message}.`, name);
			}
			const text = area.value.trim();
			if (!text && required) throw new Mistake(`${label} is needed.`, name);
			return text ? new Raw(text) : undefined;
		},
	};
}

"""##,
"history.js": ##"""
/** The history of one thing, and how it was at any moment of it. */

import { get, getPlain } from './api.js';
import { box, button, h, newID, replace, throttle } from './dom.js';
import { entryItem } from './sentences.js';
import { local } from './time.js';
import { area, problemBox } from './widgets.js';

/**
 * @param showPast makes nodes of the thing as it was; without it there is no slider.
 */
export function history(path, showPast) {
	const entries = [];
	const list = h('ol.entries');
	const slider = showPast && pastSlider(path, entries, showPast);
	const older = box('actions');
	let cursor = null;

	async function load(signal) {
		const page = await getPlain(`${path}/history`, { limit: 50, cursor }, signal);
		entries.push(...page.items);
		cursor = page.next_cursor;
		list.append(...page.items.map(entryItem));
		replace(older, cursor && button('Show older entries', () => load()));
		slider?.reach();
	}

	const node = area(async (signal) => {
		entries.length = 0;
		cursor = null;
		list.replaceChildren();
		await load(signal);
	}, () => [slider?.node, list, older]);
	return node;
}

function pastSlider(path, entries, showPast) {
	const id = newID('as-of');
	const shown = h('div.past');
	const range = h('input', { type: 'range', id, min: '0', step: '1' });
	const told = h('output', { for: id }, 'as it is now');
	let asked = 0;

	const load = throttle(120, async () => {
		const mine = ++asked;
		const entry = entries[entries.length - 1 - Number(range.value)];
		try {
			const past = await get(path, { as_of: entry.position });
			if (mine === asked) replace(shown, showPast(past));
		} catch (error) {
			if (mine === asked) replace(shown, problemBox(error));
		}
	});

	range.addEventListener('input', () => {
		const entry = entries[entries.length - 1 - Number(range.value)];
		const text = `as it was after entry #${entry.position}, ${local(entry.recorded_at)}`;
		told.textContent = text;
		range.setAttribute('aria-valuetext', text);
		load();
	});

	return {
		node: h('div.as-of', h('label', { for: id }, 'Look back'), range, told, shown),
		reach() {
			range.max = String(entries.length - 1);
			range.value = range.max;
			told.textContent = 'as it is now';
			replace(shown);
			range.disabled = entries.length < 2;
		},
	};
}

"""##,
"icon.svg": ##"""
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#2f5fb3"/><path d="M9 7h9a9 9 0 0 1 0 18H9z" fill="none" stroke="#fff" stroke-width="2.6"/><path d="M15 12v5l4 2.4" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/></svg>

"""##,
"index.html": ##"""
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Daybook</title>
<link rel="icon" href="/page/icon.svg">
<link rel="stylesheet" href="/page/style.css">
<script type="module" src="/page/app.js"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<div id="app"><noscript><p>The page needs JavaScript; the REST API does not.</p></noscript></div>
<div id="said" role="status" aria-live="polite"></div>
</body>
</html>

"""##,
"json.js": ##"""
/**
 * JSON as it was sent. `JSON.parse` rounds long numbers and forgets the order of some keys; payloads must come
 * back byte for byte, so members named as opaque are kept as text. It refuses what the server refuses.
 */

const DEPTH = 64;

export class Raw {
	constructor(text) { this.text = text; }
	toString() { return this.text; }
}

export class JSONMistake extends Error {
	constructor(message, text, offset) {
		super(message);
		this.offset = offset;
		const before = text.slice(0, offset).split('\n');
		this.line = before.length;
		this.column = before.at(-1).length + 1;
	}
}

const LITERALS = { t: ['true', true], f: ['false', false], n: ['null', null] };
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\n\r]*/y;

/** Reads one value; members whose name is in `opaque` become `Raw`. */
export function parse(text, opaque = new Set()) {
	let at = 0;
	const fail = (message, place = at) => { throw new JSONMistake(message, text, place); };
	const match = (pattern) => {
		pattern.lastIndex = at;
		const found = pattern.exec(text)?.[0];
		at += found?.length ?? 0;
		return found;
	};
	const space = () => match(SPACE);

	function string() {
		const start = at++;
		for (;;) {
			match(PLAIN);
			const sign = text[at];
			if (sign === '"') { at += 1; return JSON.parse(text.slice(start, at)); }
			if (sign === undefined) fail('the string does not end', start);
			if (sign !== '\\') fail('a control character must be escaped');
			const escape = text[at + 1];
			if (escape === 'u') {
				if (!/^[0-9a-fA-F]{4}$/.test(text.slice(at + 2, at + 6))) fail('\\u needs four hexadecimal digits');
				at += 6;
			} else if (escape !== undefined && '"\\/bfnrt'.includes(escape)) at += 2;
			else fail('this escape is not known');
		}
	}

	function parts(close, part) {
		at += 1;
		space();
		for (let isFirst = true; !isFirst || text[at] !== close; isFirst = false) {
			part();
			space();
			if (text[at] === close) break;
			if (text[at] !== ',') fail(`a comma or ${close} is expected`);
			at += 1;
			space();
		}
		at += 1;
	}

	function members(depth) {
		const object = Object.create(null);
		parts('}', () => {
			if (text[at] !== '"') fail('a name in quotes is expected');
			const place = at;
			const name = string();
			if (name in object) fail('the name is there twice', place);
			if (name.includes('\0')) fail('a name must not have NUL', place);
			space();
			if (text[at] !== ':') fail('a colon is expected');
			at += 1;
			space();
			const start = at;
			const read = value(depth + 1);
			object[name] = opaque.has(name) && read !== null ? new Raw(text.slice(start, at)) : read;
		});
		return object;
	}

	function elements(depth) {
		const array = [];
		parts(']', () => array.push(value(depth + 1)));
		return array;
	}

	function value(depth) {
		if (depth > DEPTH) fail(`it is nested deeper than ${DEPTH}`);
		const sign = text[at];
		if (sign === '{') return members(depth);
		if (sign === '[') return elements(depth);
		if (sign === '"') return string();
		const literal = LITERALS[sign];
		if (literal && text.startsWith(literal[0], at)) { at += literal[0].length; return literal[1]; }
		const number = match(NUMBER);
		if (number) return Number(number);
		return fail(sign === undefined ? 'the text ends too early' : 'a value is expected');
	}

	space();
	const read = value(0);
	space();
	if (at < text.length) fail('nothing may come after the value');
	return read;
}

export const compose = (object) => `{${Object.entries(object).filter(([, value]) => value !== undefined)
	.map(([name, value]) => `${JSON.stringify(name)}:${value instanceof Raw ? value.text : JSON.stringify(value)}`).join(',')}}`;

/** The same value in lines, every token as it was. */
export function indent(text) {
	let out = '';
	let depth = 0;
	const line = () => `\n${'  '.repeat(depth)}`;
	const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
	tokens.forEach((token, index) => {
		const before = tokens[index - 1];
		if (token === '}' || token === ']') {
			depth -= 1;
			out += before === '{' || before === '[' ? token : line() + token;
		} else {
			if (before === '{' || before === '[') out += line();
			out += token;
			if (token === '{' || token === '[') depth += 1;
			else if (token === ',') out += line();
			else if (token === ':') out += ' ';
		}
	});
	return out;
}

"""##,
"list.js": ##"""
/** Lists and things that stay true: what the log says has changed is read again. */

import { get } from './api.js';
import { box, button, throttle } from './dom.js';
import { hear } from './live.js';
import { area, empty, filters, pager, table } from './widgets.js';

/** When more rows than this changed, the page of the list is read again. */
const SINGLE = 12;

/**
 * @param path of the list, and of its items with their id behind it.
 * @param idIn what of an event names an item, such as `schedule_id`.
 * @param births events after which the first page has new items.
 */
export function liveList({ path, query, fixed = {}, go, fields, columns, caption, nothing, idIn, births, key }) {
	const rows = table({ caption, columns, key });
	const touched = new Set();
	let isFirst = !query.cursor;
	const anew = box('actions');

	const list = area((signal) => get(path, { limit: 50, ...query, ...fixed }, signal), (page) => {
		isFirst = !query.cursor;
		anew.replaceChildren();
		rows.set(page.items);
		const isFiltered = Object.keys(query).some((name) => name !== 'cursor');
		return [page.items.length ? rows.node : empty(page.next_cursor ? 'Nothing on this page; there is more to look through.' : isFiltered
			? 'Nothing fits the filter.' : nothing),
			pager(query.cursor !== undefined, page.next_cursor, (cursor) => go({ ...query, cursor }))];
	}, { class: 'area list' });

	const reload = throttle(1500, list.reload);
	const patch = throttle(400, async () => {
		const ids = [...touched];
		touched.clear();
		if (ids.length > SINGLE) return reload();
		const read = await Promise.all(ids.map((id) => get(`${path}/${id}`).catch(() => null)));
		read.filter(Boolean).forEach(rows.patch);
	});
	const hasNew = throttle(1500, () => {
		if (isFirst && query.order !== 'scheduled_time') return list.reload();
		if (!anew.firstChild) anew.append(button('There is more now: read the list again', list.reload, { class: 'plain' }));
	});

	const unhear = hear((entries) => {
		for (const event of entries.flatMap((entry) => entry.events)) {
			if (births.includes(event.event)) hasNew();
			else if (rows.has(event[idIn])) { touched.add(event[idIn]); patch(); }
		}
	});
	return { node: box('view', fields && filters(fields, query, go), anew, list), reload: list.reload, end: unhear };
}

/** @param concerns tells of other events whether they may change what is shown. */
export function liveThing({ idIn, id, load, show, concerns = () => false }) {
	const node = area(load, show);
	const reload = throttle(400, node.reload);
	const reloadSoon = throttle(2000, node.reload);
	const unhear = hear((entries) => {
		const events = entries.flatMap((entry) => entry.events);
		if (events.some((event) => event[idIn] === id)) reload();
		else if (events.some(concerns)) reloadSoon();
	});
	return { node, reload: node.reload, end: unhear };
}

"""##,
"live.js": ##"""
/**
 * One stream of the log for the whole page. Entries come in batches; a lost connection is made again from the
 * last position, so that nothing is missed.
 */

const BATCH = 200;
/** The server says something every 15 s; after this silence it is gone. */
const SILENCE = 40_000;
const PAUSES = [500, 1000, 2000, 4000, 8000];
/** So long a hidden page keeps its connection: a browser has six for a server and all its tabs. */
const HIDDEN = 5000;
/** What is further behind is not told, but read anew. */
const FAR = 10_000;

const hearers = new Set();
let source = null;
let position = null;
let batch = [];
let batchTimer = null;
let watch = null;
let retryTimer = null;
let hideTimer = null;
let tries = 0;
let failures = 0;
let state = 'off';
let onstate = () => {};

/** Hears batches of entries, also empty ones, and the state until the returned function is called. */
export function hear(hearer) {
	hearers.add(hearer);
	return () => hearers.delete(hearer);
}

function become(next) {
	const before = state;
	state = next;
	onstate(next, before, position);
	if (next !== before) tell([]);
}

function tell(entries) {
	for (const hearer of hearers) hearer(entries, state);
}

function flush() {
	batchTimer = null;
	const entries = batch;
	batch = [];
	tell(entries);
	onstate(state, state, position);
}

function takes(event) {
	clearTimeout(watch);
	watch = setTimeout(lose, SILENCE);
	failures = 0;
	position = Number(event.lastEventId);
	if (event.type === 'entry') batch.push(JSON.parse(event.data));
	batchTimer ??= setTimeout(flush, BATCH);
	if (state !== 'live') become('live');
}

function lose() {
	source?.close();
	source = null;
	clearTimeout(watch);
	become('lost');
	clearTimeout(retryTimer);
	retryTimer = setTimeout(connect, PAUSES[Math.min(failures, PAUSES.length - 1)]);
	failures += 1;
}

async function connect() {
	clearTimeout(retryTimer);
	source?.close();
	source = null;
	const mine = ++tries;
	if (position !== null) {
		const size = await fetch('/log/checkpoint', { signal: AbortSignal.timeout(8000) }).then((answer) => answer.text())
			.then((text) => Number(text.split('\n')[1]), () => NaN);
		if (mine !== tries) return;
		// A log that ends before our position is an older copy: nothing that is shown holds.
		if (size < position || size > position + FAR) location.reload();
	}
	if (document.hidden) hideSoon();
	source = new EventSource(position === null ? '/log/stream' : `/log/stream?after=${position}`);
	source.addEventListener('entry', takes);
	source.addEventListener('through', takes);
	source.onerror = lose;
}

function hideSoon() {
	clearTimeout(hideTimer);
	if (document.hidden) hideTimer = setTimeout(rest, HIDDEN);
	else if (state === 'off' && position !== null) connect();
}

function rest() {
	// Without a position nothing could be caught up.
	if (state !== 'live') { hideSoon(); return; }
	source.close();
	clearTimeout(watch);
	become('off');
}

document.addEventListener('visibilitychange', hideSoon);

/** Begins to follow. `heard` is told each state: `live`, `lost` or `off`, the one before, and the position. */
export function start(heard) {
	onstate = heard;
	connect();
}

export function stop() {
	source?.close();
	source = null;
	tries += 1;
	for (const timer of [watch, retryTimer, batchTimer, hideTimer]) clearTimeout(timer);
	[position, batch, batchTimer, failures] = [null, [], null, 0];
	become('off');
}

export const retry = () => { if (state === 'lost') connect(); };
addEventListener('online', retry);

"""##,
"names.js": ##"""
/** Names of what is known by id. */

import { everything, get, getPlain, may, session } from './api.js';
import { bdi, h, link, words } from './dom.js';

const workflows = new Map();
const keys = new Map();
let loading = null;

const short = (id) => `${id.slice(0, 4)}…${id.slice(-6)}`;

async function load() {
	const readKeys = may('admin')
		? everything('/api-keys').then((items) => items.forEach((key) => keys.set(key.id, key.name)))
		// Who may not list the keys can still read in the log how they were made.
		: getPlain('/log', { event: 'key_created', limit: 100 }).then(({ items }) => items.forEach(note));
	await Promise.all([
		everything('/workflows').then((items) => items.forEach((one) => workflows.set(one.id, one))),
		readKeys,
	]);
}

export function ready() {
	keys.set(session.key_id, session.key_name);
	loading ??= load().catch((error) => { loading = null; throw error; });
	return loading;
}

export function forget() {
	workflows.clear();
	keys.clear();
	loading = null;
}

export function note(entry) {
	for (const event of entry.events) {
		if (event.event === 'key_created') keys.set(event.key_id, event.name);
		if (event.event === 'workflow_deleted') workflows.delete(event.workflow_id);
		else if (event.event.startsWith('workflow_') || event.event.startsWith('version_') || event.event === 'concurrency_set') {
			stale.add(event.workflow_id);
		}
	}
}

const stale = new Set();

export async function refresh() {
	const ids = [...stale].filter(Boolean);
	stale.clear();
	await Promise.all(ids.map(async (id) => {
		try { workflows.set(id, await get(`/workflows/${id}`)); } catch { workflows.delete(id); }
	}));
}

export const allWorkflows = () => [...workflows.values()].sort((a, b) => a.name.localeCompare(b.name));

export const workflowChoices = () => allWorkflows().map((one) => [one.id, one.name]);

export const workflow = (id) => workflows.get(id);

export const workflowText = (id) => workflows.get(id)?.name ?? `workflow ${short(id)}`;

export const workflowLink = (id) => (id ? link(`#/workflows/${id}`, bdi(workflowText(id))) : '–');

export const scheduleLink = (id, text) => link(`#/schedules/${id}`, text ?? code(id));

export const runLink = (id, text) => link(`#/runs/${id}`, text ?? code(id));

export const positionLink = (position) => link(`#/log/${position}`, `#${position}`);

export const code = (id) => h('code', { title: id }, short(id));

export function actor(text, name) {
	const [kind, ...rest] = text.split(':');
	const id = rest.join(':');
	if (kind === 'key') return ['the key ', name || keys.has(id) ? bdi(name ?? keys.get(id)) : code(id)];
	if (kind === 'trigger') return ['the trigger ', link(`#/triggers/${id}`, code(id))];
	return `the ${words(id)}`;
}

"""##,
"sentences.js": ##"""
/** Entries of the log as sentences for people. */

import { bdi, h, link, words } from './dom.js';
import { actor, code, positionLink, runLink, scheduleLink, workflowLink } from './names.js';
import { duration, time } from './time.js';

const late = (milliseconds) => (milliseconds >= 1000 ? `, ${duration(milliseconds)} late` : ', on time');
const mode = { manual: 'by hand', scheduled: 'as promised', triggered: 'for its trigger' };
const said = (payload) => (payload ? ` with ${payload.bytes.toLocaleString('en')} bytes of output` : '');
const given = (text) => (text === undefined || text === null ? null : bdi(text));
const run = (event) => ['the run ', runLink(event.run_id)];
const flow = (event) => workflowLink(event.workflow_id);
const schedule = (event) => ['the schedule ', scheduleLink(event.schedule_id)];

const EVENTS = {
	initialised: () => 'began the log',
	started: () => 'the service started',
	stopped: () => 'the service stopped',
	paused: () => 'paused the service',
	resumed: () => 'resumed the service',
	clock_trusted: () => 'declared the clock right',
	team_created: (e) => ['made the team ', bdi(e.name), ` for ${e.max_concurrent_runs} runs at once`],
	license_set: (e) => `set the team's license to ${e.max_concurrent_runs} runs at once`,
	key_created: (e) => [`made the ${e.role} key `, bdi(e.name)],
	key_revoked: (e) => ['revoked ', actor(`key:${e.key_id}`)],
	keys_used: (e) => `noted when ${e.uses.length === 1 ? 'a key was' : `${e.uses.length} keys were`} used`,
	workflow_created: (e) => ['made the workflow ', flow(e)],
	workflow_modified: (e) => ['changed the workflow ', flow(e), ': ',
		[e.name !== undefined && ['named ', bdi(e.name)], e.paused === true && 'paused', e.paused === false && 'resumed',
			e.run_timeout_seconds !== undefined && `time-out ${duration(e.run_timeout_seconds * 1000)}`,
			e.retry && `at most ${e.retry.max_attempts} tries`, e.description !== undefined && 'its description'].filter(Boolean).flatMap((x,
				i) => (i ? [', ', x] : [x]))],
	concurrency_set: (e) => ['limited ', flow(e), e.max_concurrent_runs
		? ` to ${e.max_concurrent_runs} runs at once` : " by the team's license alone"],
	secret_rotated: (e) => ['made a new secret for ', flow(e)],
	draft_edited: (e) => ['edited the draft of ', flow(e)],
	version_saved: (e) => [`saved version ${e.version_number} of `, flow(e),
		e.version_name && [' as ', bdi(e.version_name)]],
	version_renamed: (e) => [`named version ${e.version_number} of `, flow(e), ' ', given(e.version_name)],
	version_activated: (e) => [`activated version ${e.version_number} of `, flow(e)],
	version_deleted: (e) => [`deleted version ${e.version_number} of `, flow(e)],
	version_imported: (e) => [`imported version ${e.version_number} of `, flow(e)],
	workflow_deleted: (e) => ['deleted ', flow(e)],
	workflow_closed: (e) => ['began to delete ', flow(e)],
	workflow_reopened: (e) => ['took back the deletion of ', flow(e)],
	schedule_created: (e) => ['promised ', flow(e), ' for ', time(e.scheduled_time), ': ', scheduleLink(e.schedule_id),
		e.scheduled_by_name && [' (asked by ', bdi(e.scheduled_by_name), ')']],
	schedule_modified: (e) => [e.scheduled_time ? ['moved ', schedule(e), ' to ', time(e.scheduled_time)] : ['changed ', schedule(e)],
		e.run_input && ', with another input', e.priority !== undefined && `, priority ${e.priority}`,
		e.version !== undefined && (e.version === null ? ', version not pinned' : `, version ${e.version}`),
		e.expires_at !== undefined && (e.expires_at ? [', expires ', time(e.expires_at)] : ', without an end')],
	schedule_cancelled: (e) => ['cancelled ', schedule(e)],
	schedule_fired: (e) => ['fired ', schedule(e), late(e.lateness_ms)],
	schedule_expired: (e) => ['let ', schedule(e), ' expire: it was too late'],
	run_queued: (e) => ['queued ', run(e), ' of ', flow(e), ` ${mode[e.mode]}`],
	run_started: (e) => [`started attempt ${e.attempt} of `, run(e), e.worker && [' at the worker ', bdi(e.worker)]],
	lease_renewed: (e) => ['heard of ', run(e), ': its lease holds until ', time(e.lease_expires_at)],
	run_accepted: (e) => ['was told that ', run(e), ' was accepted and goes on'],
	run_released: (e) => ['gave back ', run(e), ' to its queue'],
	run_completed: (e) => ['completed ', run(e), said(e.output)],
	run_retry_scheduled: (e) => [`attempt ${e.attempt} of `, run(e), ` failed (${words(e.reason)}); the next try is at `, time(e.not_before)],
	run_failed: (e) => [run(e), ` failed in attempt ${e.attempt} (${words(e.reason)})`],
	run_requeued: (e) => ['put ', run(e), ' back in its queue for the next try'],
	run_cancelled: (e) => ['cancelled ', run(e)],
	payloads_erased: (e) => [`erased ${e.payloads.length} payloads`, e.run_id && [' of ', run(e)], e.schedule_id && [' of ', schedule(e)]],
	trigger_created: (e) => ['made the trigger ', bdi(e.name), ' for ', flow(e)],
	message_refused: (e) => ['kept a message as refused: ', words(e.reason ?? ''), e.detail && [' (', bdi(e.detail), ')']],
	refusal_retried: (e) => ['took a refused message after all: ', runLink(e.run_id)],
	subscription_created: (e) => ['made the completion webhook ', bdi(e.name)],
};

/** What has no sentence of its own is told by its name, with what it was about. */
const OTHERS = ['trigger_modified', 'trigger_deleted', 'trigger_secret_rotated', 'subscription_modified', 'subscription_deleted',
	'subscription_secret_rotated', 'delivery_succeeded', 'delivery_retry_scheduled', 'delivery_failed', 'delivery_requeued',
	'deliveries_requeued', 'operation_started', 'operation_advanced', 'operation_finished'];

export const EVENT_NAMES = [...Object.keys(EVENTS), ...OTHERS];

const plain = (e) => [words(e.event), e.trigger_id && [': ', link(`#/triggers/${e.trigger_id}`, code(e.trigger_id))],
	e.subscription_id && [': ', link(`#/webhooks/${e.subscription_id}`, code(e.subscription_id))],
	e.status_code && ` (answered ${e.status_code})`];

const value = (one) => {
	if (one === null) return h('span.quiet', 'nothing');
	if (typeof one === 'string' && /^\d{4}-\d\d-\d\dT.*Z$/.test(one)) return time(one);
	if (typeof one === 'object' && 'position' in one) return ['what entry ', positionLink(one.position), ' brought'];
	return bdi(typeof one === 'object' ? JSON.stringify(one) : String(one));
};

/** What an entry changed of the object whose history it stands in: old and new. */
const changed = (changes) => changes.map(({ field, old, new: now }, index) => [index ? '; ' : '',
	field === 'scheduled_time' ? 'moved from ' : `changed ${words(field)} from `, value(old), ' to ', value(now)]);

export const sentence = (entry) => [
	entry.changes?.length && entry.events[0].event.endsWith('_modified') ? changed(entry.changes)
		: entry.events.map((event, index) => [index ? '; ' : '', (EVENTS[event.event] ?? plain)(event)]),
	h('span.by', [' by ', actor(entry.actor, entry.actor_name)])];

export const entryItem = (entry) => h('li.entry', { 'data-position': entry.position }, h('span.where', positionLink(entry.position), ' ',
	time(entry.recorded_at)),
	h('span.what', sentence(entry)));

"""##,
"style.css": ##"""
/* One accent. The colour of a state is never the only sign of it. */
:root {
	color-scheme: light dark;
	--ground: #f5f6f8; --card: #fff; --ink: #1a212c; --quiet: #545f6e; --line: #dbe0e8; --edge: #78849a;
	--side: clamp(.75rem, 2vw, 2rem); --mono: .87em/1.5 ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
	--accent: #2a5bb0; --on-accent: #fff; --wash: #e8eef9; --good: #17703d; --warn: #8a5000; --bad: #b0241c; --bad-wash: #fcedec; --good-wash: #e6f5ec;
}
@media (prefers-color-scheme: dark) {
	:root {
		--ground: #10141a; --card: #171c24; --ink: #e3e8ef; --quiet: #9ba7b6; --line: #2a3340; --edge: #74819a;
		--accent: #82aaf2; --on-accent: #0d1522; --wash: #1d2a40; --good: #63cb90; --warn: #e5ad55; --bad: #ff938a; --bad-wash: #3a1d1c; --good-wash: #15301f;
	}
}
* { box-sizing: border-box; }
html { font: 15px/1.5 system-ui, sans-serif; background: var(--ground); color: var(--ink); }
body { margin: 0; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0 0 .75rem; }
h2 { font-size: 1rem; margin: 0 0 .6rem; }
h3 { font-size: .9rem; margin: 1rem 0 .4rem; color: var(--quiet); }
h1:focus { outline: none; }
p { margin: 0 0 .6rem; }
a { color: var(--accent); text-underline-offset: .15em; }
code, pre, textarea { font: var(--mono); }
time, .number, .where, output { font-variant-numeric: tabular-nums; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
[hidden] { display: none !important; }
.quiet { color: var(--quiet); }
.small { font-size: .87rem; }
.good { color: var(--good); }
.warn { color: var(--warn); }
.bad { color: var(--bad); }
.skip { position: absolute; left: -100rem; padding: .5rem 1rem; background: var(--card); z-index: 9; }
.skip:focus { left: .5rem; top: .5rem; }

header { position: sticky; top: 0; z-index: 5; display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.25rem; padding: .4rem var(--side); background: var(--card); border-bottom: 1px solid var(--line); }
.brand { display: flex; align-items: center; gap: .5rem; font-weight: 650; color: inherit; text-decoration: none; min-height: 28px; }
.menu { display: flex; flex-wrap: wrap; gap: .15rem; }
.menu a { padding: .3rem .65rem; border-radius: 6px; color: var(--ink); text-decoration: none; white-space: nowrap; }
.menu a:hover { background: var(--wash); }
.menu a[aria-current] { background: var(--wash); color: var(--accent); font-weight: 600; }
.who { display: flex; flex-wrap: wrap; align-items: center; gap: .2rem .8rem; margin-left: auto; font-size: .9rem; }
.connection { display: flex; align-items: center; gap: .5rem; color: var(--quiet); }
.connection[data-state='live'] > span { color: var(--good); }
.connection[data-state='lost'] { color: var(--bad); font-weight: 600; }
main { max-width: 110rem; margin: 0 auto; padding: 1.25rem var(--side); }
footer { max-width: 110rem; margin: 0 auto; padding: 0 var(--side) 2rem; }
.sign-in { max-width: 24rem; padding-top: 12vh; }

.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem; margin-bottom: 1rem; min-width: 0; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); gap: 0 1rem; align-items: start; }
.beside, .actions, .row, .pager { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .75rem; }
:is(.card, .area, .past) > :last-child:not(.card) { margin-bottom: 0; }
.actions { margin: 0 0 .9rem; }
.payload > .actions { margin: 0; }
.actions:empty, .past:empty, .wrong:empty { display: none; }
.pager { margin-top: .75rem; }
main > div > .view > .list { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .75rem 1rem; }
.beside { justify-content: space-between; margin-bottom: .5rem; }
.empty { padding: 1rem 0; color: var(--quiet); }
.loading { animation: late .4s; }
@keyframes late { from { opacity: 0; } 60% { opacity: 0; } }

button, select, input, textarea { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--edge); border-radius: 6px; min-height: 30px; padding: .15rem .6rem; max-width: 100%; }
button { cursor: pointer; font-size: .92rem; }
button:not(.primary, [aria-pressed='true']):hover { background: var(--wash); }
button:disabled, button[aria-disabled] { opacity: .6; cursor: default; }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
button.danger { color: var(--bad); border-color: var(--bad); }
button.plain { border-color: transparent; color: var(--accent); background: none; text-decoration: underline; padding: 0 .25rem; }
textarea { width: 100%; resize: vertical; }
input[type='checkbox'] { min-height: 18px; width: 18px; margin: 3px; }
input[type='range'] { flex: 1; min-width: 10rem; padding: 0; accent-color: var(--accent); }
[aria-invalid='true'] { border-color: var(--bad); outline: 1px solid var(--bad); }
.field { margin-bottom: .7rem; min-width: 0; }
.field > label { display: block; font-size: .87rem; font-weight: 600; }
.check { display: flex; align-items: center; gap: .4rem; }
.hint, .echo { display: block; margin: .2rem 0 0; font-size: .85rem; color: var(--quiet); }
.hint.bad { color: var(--bad); }
.filters { display: flex; flex-wrap: wrap; align-items: end; gap: 0 .75rem; }
.filters .field input, .filters .field select { width: 11rem; }
.filters .field input[type='datetime-local'] { width: 15rem; }
.filters > button { margin-bottom: .7rem; }
.segments { display: flex; gap: .25rem; }
.segments [aria-pressed='true'] { background: var(--accent); color: var(--on-accent); border-color: var(--accent); font-weight: 600; }
dialog { width: min(36rem, calc(100vw - 1.5rem)); max-height: calc(100vh - 2rem); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem; background: var(--card); color: var(--ink); box-shadow: 0 12px 40px #0005; }
dialog.wide { width: min(60rem, calc(100vw - 1.5rem)); }
dialog::backdrop { background: #0007; }
dialog h2 { font-size: 1.15rem; }
dialog .field > input, dialog .field > select, .sign-in input { width: 100%; }
dialog > form > .actions { margin: .5rem 0 0; }
details { margin-bottom: .7rem; }
summary { min-height: 24px; }
.problem { background: var(--bad-wash); border-left: 3px solid var(--bad); border-radius: 4px; padding: .6rem .8rem; margin: 0 0 .8rem; }
.problem p:last-child { margin: 0; }
#said { position: fixed; right: 1rem; bottom: 1rem; z-index: 9; display: grid; gap: .4rem; max-width: min(28rem, calc(100vw - 2rem)); }
.note { margin: 0; padding: .6rem .9rem; border-radius: 8px; background: var(--ink); color: var(--card); }

table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--quiet); font-size: .85rem; padding-bottom: .3rem; }
th { overflow-wrap: normal; text-align: left; font-size: .82rem; color: var(--quiet); font-weight: 600; border-bottom: 1px solid var(--line); }
th, td { padding: .32rem .8rem .32rem 0; vertical-align: baseline; }
td { border-bottom: 1px solid var(--line); }
tbody tr:hover { background: var(--wash); }
.number { white-space: nowrap; }
.acts button + button { margin-left: .4rem; }
.status { white-space: nowrap; }
.completed, .delivered { color: var(--good); }
.failed { color: var(--bad); }
.cancelled { color: var(--quiet); }
.in_progress, .queued, .retrying, .pending { color: var(--accent); }
td a, .entries a, dd a, .plain-list a { display: inline-block; min-height: 24px; }
.plain-list, .entries, .legend, .strip ol { list-style: none; padding: 0; margin: 0; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: .35rem 1.5rem; margin: 0; }
.facts div { display: flex; gap: .75rem; min-width: 0; }
dt { color: var(--quiet); flex: 0 0 8rem; font-size: .9rem; }
dd { margin: 0; min-width: 0; }
pre { margin: 0 0 .4rem; padding: .7rem; max-height: 26rem; overflow: auto; background: var(--ground); border: 1px solid var(--line); border-radius: 6px; white-space: pre-wrap; }
.entry { content-visibility: auto; contain-intrinsic-size: auto 2rem; display: flex; gap: .9rem; padding: .25rem 0; border-bottom: 1px solid var(--line); }
.where { flex: 0 0 12rem; color: var(--quiet); white-space: nowrap; }
.what { min-width: 0; }
.by { color: var(--quiet); }
.as-of { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; padding: .6rem .8rem; margin-bottom: .6rem; background: var(--ground); border-radius: 8px; }
.past { flex-basis: 100%; }
.verdict { padding: .6rem .8rem; border-radius: 6px; }
.verdict.good { background: var(--good-wash); }
.scroll { overflow-x: auto; }
.diff { font: var(--mono); table-layout: fixed; min-width: 36rem; }
.diff td { white-space: pre-wrap; border: 0; padding: 0 .5rem 0 1.2rem; position: relative; }
.diff .sign { position: absolute; left: .3rem; }
.gone { background: var(--bad-wash); }
.new { background: var(--good-wash); }

.timeline { display: block; user-select: none; }
.timeline-box { overflow: hidden; }
.readout { min-height: 1.5em; font-size: .87rem; color: var(--quiet); font-variant-numeric: tabular-nums; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem .9rem; font-size: .82rem; color: var(--quiet); }
.legend svg { vertical-align: -2px; margin-right: .3rem; }
.past-ground { fill: var(--ground); }
.unknown { fill: var(--edge); opacity: .18; }
.grid, .base { stroke: var(--line); }
.tick { fill: var(--quiet); font-size: 11px; font-variant-numeric: tabular-nums; }
.now { stroke: var(--accent); stroke-width: 1.5; }
.now-text { fill: var(--accent); font-weight: 600; }
.ghost { stroke: var(--accent); stroke-width: 2; stroke-dasharray: 4 3; }
.hit { fill: transparent; }
.mark { cursor: pointer; outline: none; }
.mark.movable { cursor: ew-resize; touch-action: none; }
.mark:focus-visible .hit { stroke: var(--accent); stroke-width: 2; }
.mark:hover .sign { stroke-width: 3; }
.sign { stroke-width: 2; stroke: currentColor; fill: currentColor; }
.sign.pending { fill: var(--card); }
.fired { color: var(--good); }
.late { color: var(--warn); }
.very-late { color: var(--bad); }
.sign.failed, .sign.cancelled { fill: none; }
.bar { fill: currentColor; }
.bar-used, .part.wait { fill: var(--accent); }
.part.work { fill: var(--good); }
.bar-full, .part.lag { fill: var(--warn); }
.bar.cancelled, .bar-ground { fill: var(--line); }
.slots { display: grid; grid-template-columns: minmax(5rem, 1fr) minmax(4rem, 1.4fr) 5rem; gap: .75rem; align-items: center; padding: .12rem 0; }
.slots .number { text-align: right; }
.strip ol { display: flex; flex-wrap: wrap; gap: .3rem 1.5rem; margin-top: .5rem; font-size: .92rem; }
.why::first-letter { text-transform: uppercase; }
.causes { padding-left: 1.2rem; margin: 0 0 .6rem; }

@media (max-width: 44rem) {
	table:not(.diff), table:not(.diff) :is(tbody, tr, td, caption) { display: block; }
	table:not(.diff) thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
	table:not(.diff) tr { border-bottom: 1px solid var(--edge); padding: .4rem 0; }
	table:not(.diff) td { display: flex; gap: .75rem; border: 0; padding: .1rem 0; white-space: normal; }
	table:not(.diff) td::before { content: attr(data-label); flex: 0 0 6.5rem; color: var(--quiet); font-size: .85rem; }
	.entry { flex-direction: column; gap: 0; contain-intrinsic-size: auto 6rem; }
	.where { flex: none; }
	header { position: static; }
	.who { margin-left: 0; }
	.facts div { flex-direction: column; gap: 0; margin-bottom: .3rem; }
	dt { flex: none; }
	.filters .field { flex: 1 1 9rem; }
	.filters .field :is(input, input[type], select) { width: 100%; }
}
@media (min-width: 150rem) { html { font-size: 18px; } }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; } }

"""##,
"time.js": ##"""
/** Instants: UTC on the wire, local with its zone on the page. */

import { h } from './dom.js';

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
export const isUTC = zone === 'UTC' || zone === 'Etc/UTC';

const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const two = (number) => String(number).padStart(2, '0');
const date = (d) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
const clock = (d) => `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;

export const local = (instant) => { const d = new Date(instant); return `${date(d)} ${clock(d)}`; };

/** The clock alone when it is today's, otherwise with the date. */
function shortLocal(instant) {
	const d = new Date(instant);
	return date(d) === date(new Date()) ? clock(d) : `${date(d)} ${clock(d)}`;
}

export const utc = (instant) => `${new Date(instant).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

export const offset = (instant) => new Intl.DateTimeFormat('en', { timeZoneName: 'shortOffset' })
	.formatToParts(new Date(instant)).find((part) => part.type === 'timeZoneName').value;

export const both = (instant) => (isUTC ? utc(instant) : `${local(instant)} ${zone} (${offset(instant)}), ${utc(instant)}`);

export const time = (instant) => (instant
	? h('time', { datetime: instant, title: utc(instant) }, shortLocal(instant)) : h('span.quiet', '–'));

/** A time as a fact: local, its zone, and UTC. */
export const fullTime = (instant) => instant && h('time', { datetime: instant }, isUTC ? utc(instant)
	: [local(instant), ' ', h('span.quiet', `${offset(instant)} · ${utc(instant)}`)]);

export function duration(milliseconds) {
	const size = Math.abs(milliseconds);
	if (size < SECOND) return `${Math.round(milliseconds)} ms`;
	if (size < 10 * SECOND) return `${(milliseconds / SECOND).toFixed(1)} s`;
	const parts = [[Math.floor(size / DAY), 'd'], [Math.floor(size / HOUR) % 24, 'h'],
		[Math.floor(size / MINUTE) % 60, 'min'], [Math.floor(size / SECOND) % 60, 's']];
	const first = parts.findIndex(([count]) => count > 0);
	return `${milliseconds < 0 ? '−' : ''}${parts.slice(first, first + 2).filter(([count]) => count > 0)
		.map(([count, unit]) => `${count} ${unit}`).join(' ')}`;
}

export function relative(instant) {
	const distance = Date.parse(instant) - Date.now();
	return distance >= 0 ? `in ${duration(distance)}` : `${duration(-distance)} ago`;
}

const sinceText = (instant) => duration(Math.max(0, Date.now() - Date.parse(instant)));

export const since = (instant) => h('span.number', { 'data-since': instant }, sinceText(instant));

setInterval(() => {
	for (const node of document.querySelectorAll('[data-since]')) node.textContent = sinceText(node.dataset.since);
}, SECOND);

export function fieldValue(instant, inUTC) {
	const d = new Date(instant);
	return inUTC ? d.toISOString().slice(0, 19) : `${date(d)}T${clock(d)}`;
}

/** Browsers leave seconds of zero out. */
const withSeconds = (value) => (value.length === 16 ? `${value}:00` : value);

/** Whether a field still says this instant, of which it does not show every digit. */
export const isUntouched = (value, instant, inUTC) => Boolean(instant) && withSeconds(value) === fieldValue(instant, inUTC);

/**
 * What a `datetime-local` value means.
 * @returns the instant as RFC 3339, and a note where the local clock skips or repeats that time.
 */
export function readField(value, inUTC) {
	if (!/^\d{4,6}-\d\d-\d\dT\d\d:\d\d/.test(value)) return null;
	const full = withSeconds(value);
	const d = new Date(inUTC ? `${full}Z` : full);
	if (Number.isNaN(d.getTime())) return null;
	const instant = d.toISOString().replace('.000Z', 'Z');
	if (inUTC) return { instant };
	if (fieldValue(d, false) !== full.slice(0, 19)) return { instant, note: 'The clocks skip this time; the one shown is meant.' };
	// Lord Howe Island puts its clocks back by half an hour.
	const isTwice = [HOUR, HOUR / 2, -HOUR / 2, -HOUR].some((shift) => fieldValue(d.getTime() + shift) === fieldValue(d));
	return isTwice ? { instant, note: 'The clocks are put back and this time comes twice; give it in UTC for the other one.' } : { instant };
}

"""##,
"timeline.js": ##"""
/** Promises on a line of time: single marks while they can be told apart, else density. */

import { h, replace, s } from './dom.js';
import { DAY, HOUR, MINUTE, both, local, offset } from './time.js';

const HEIGHT = 150;
const AXIS = 26;
const TOP = 18;
const LANES = 14;
const MARK = 13;
const STEPS = [MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY,
	7 * DAY, 14 * DAY];

const LATE = 1000;
const VERY_LATE = MINUTE;

export const latenessKind = (milliseconds) => (milliseconds >= VERY_LATE ? 'very-late' : milliseconds >= LATE ? 'late' : 'fired');

const kindOf = ({ status, lateness_ms: lateness }) => (['pending', 'cancelled', 'failed'].includes(status)
	? status : latenessKind(lateness));

const KINDS = [['pending', 'to come'], ['fired', 'fired on time'], ['late', 'late by 1 s or more'], ['very-late', 'late by 1 min or more'],
	['failed', 'failed'], ['cancelled', 'cancelled']];

export const total = (bucket) => KINDS.reduce((sum, [kind]) => sum + (bucket[kind] ?? 0), 0);

const SHAPES = {
	pending: 'M0-4.5A4.5 4.5 0 1 1 0 4.5A4.5 4.5 0 1 1 0-4.5',
	fired: 'M0-4.5A4.5 4.5 0 1 1 0 4.5A4.5 4.5 0 1 1 0-4.5',
	late: 'M0-5L5 4H-5Z',
	'very-late': 'M-4.5-4.5H4.5V4.5H-4.5Z',
	failed: 'M-4-4L4 4M4-4L-4 4',
	cancelled: 'M-4.5 0H4.5',
};

const sign = (kind) => s('path', { d: SHAPES[kind], class: `sign ${kind}` });

export const legend = () => h('ul.legend', KINDS.map(([kind, text]) => h('li',
	s('svg', { width: 14, height: 14, viewBox: '-7 -7 14 14', 'aria-hidden': 'true' }, sign(kind)), text)));

function ticks(from, to, width) {
	const step = STEPS.find((one) => (one / (to - from)) * width >= 62) ?? 28 * DAY;
	const start = new Date(from);
	start.setHours(0, 0, 0, 0);
	const found = [];
	while (start < to) {
		if (start >= from) found.push(start.getTime());
		// Not every day has 24 hours.
		if (step >= DAY) start.setDate(start.getDate() + step / DAY);
		else start.setTime(start.getTime() + step);
	}
	return { step, found };
}

function tickText(at, step) {
	const text = local(at);
	return step >= DAY || text.endsWith('00:00:00') ? text.slice(5, 10) : text.slice(11, 16);
}

/**
 * @param open is called with a schedule, or with the ends of a bucket.
 * @param move is called with a schedule and the time it was dragged to; absent where nothing may be moved.
 */
export function timeline({ describe, open, move }) {
	const svg = s('svg', { class: 'timeline', role: 'group', height: HEIGHT });
	const readout = h('p.readout');
	const node = h('div.timeline-box', svg, readout);
	const help = `Arrow keys go from mark to mark, Enter opens${move ? ', M moves. Or drag a mark that is to come' : ''}.`;
	let shown = null;
	let width = 0;
	let current = 0;
	/** Nothing is drawn anew under somebody's hand. */
	let isHeld = false;

	const x = (at) => ((at - shown.from) / (shown.to - shown.from)) * width;
	const timeAt = (px) => shown.from + (px / width) * (shown.to - shown.from);
	const read = (text) => { readout.textContent = text ?? help; };

	/** Lanes for the marks; `null` where they cannot be told apart. */
	function lanes(schedules) {
		const ends = [];
		const placed = [];
		for (const schedule of schedules) {
			const at = x(Date.parse(schedule.scheduled_time));
			let lane = ends.findIndex((end) => end <= at);
			if (lane < 0) lane = ends.length;
			if (lane >= LANES) return null;
			ends[lane] = at + MARK;
			placed.push({ schedule, at, lane });
		}
		return placed;
	}

	function drawMarks(placed) {
		const bottom = HEIGHT - AXIS - 10;
		const step = Math.min(MARK + 1, (bottom - TOP) / Math.max(...placed.map((one) => one.lane + 1)));
		return placed.map(({ schedule, at, lane }, index) => {
			const kind = kindOf(schedule);
			const text = describe(schedule);
			const mark = s('g', { class: `mark ${kind}`, transform: `translate(${at} ${bottom - lane * step})`, role: 'link', 'aria-label': text, 'data-thing': schedule.id,
				tabindex: index === current ? 0 : -1, onfocus: () => read(text), onpointerenter: () => read(text) },
				s('rect', { x: -12, y: -12, width: 24, height: 24, class: 'hit' }), sign(kind));
			const canMove = move && kind === 'pending';
			mark.addEventListener('keydown', (event) => {
				if (event.key === 'Enter') open(schedule);
				else if (event.key.toLowerCase() === 'm' && canMove) move(schedule);
				else return;
				event.preventDefault();
			});
			if (canMove) drag(mark, schedule, at);
			else mark.addEventListener('click', () => open(schedule));
			return mark;
		});
	}

	function drag(mark, schedule, start) {
		mark.classList.add('movable');
		mark.addEventListener('pointerdown', (down) => {
			if (down.button !== 0) return;
			down.preventDefault();
			mark.focus();
			mark.setPointerCapture(down.pointerId);
			isHeld = true;
			const ghost = s('line', { class: 'ghost', y1: TOP, y2: HEIGHT - AXIS });
			let target = null;
			const go = (event) => {
				const distance = event.clientX - down.clientX;
				if (target === null && Math.abs(distance) < 4) return;
				const at = Math.min(Math.max(start + distance, 0), width);
				const grid = Math.max(MINUTE / 2, STEPS.find((one) => (one / (shown.to - shown.from)) * width >= 3) ?? DAY);
				target = Math.round(timeAt(at) / grid) * grid;
				ghost.setAttribute('x1', x(target));
				ghost.setAttribute('x2', x(target));
				if (!ghost.isConnected) svg.append(ghost);
				read(`Move to ${both(target)}${target <= Date.now() ? ', which is past' : ''}`);
			};
			const stop = (event) => {
				mark.removeEventListener('pointermove', go);
				ghost.remove();
				isHeld = false;
				draw();
				if (event.type === 'pointercancel') return;
				if (target === null) open(schedule);
				else move(schedule, new Date(target).toISOString().replace('.000Z', 'Z'));
			};
			mark.addEventListener('pointermove', go);
			mark.addEventListener('pointerup', stop, { once: true });
			mark.addEventListener('pointercancel', stop, { once: true });
		});
	}

	function drawBars(buckets) {
		const top = Math.max(1, ...buckets.map(total));
		const room = HEIGHT - AXIS - TOP;
		const bars = buckets.map((bucket, index) => {
			const [left, right] = [x(bucket.from), x(bucket.to)];
			const kinds = KINDS.filter(([kind]) => bucket[kind]);
			const told = kinds.map(([kind, word]) => `${bucket[kind].toLocaleString('en')} ${word}`);
			const text = `${local(bucket.from)} to ${local(bucket.to)}: ${told.join(', ')}`;
			let y = HEIGHT - AXIS;
			const parts = kinds.map(([kind]) => {
				const height = Math.max(1.5, (bucket[kind] / top) * room);
				y -= height;
				return s('rect', { class: `bar ${kind}`, x: left + 0.5, width: Math.max(1, right - left - 1), y: Math.max(TOP, y), height });
			});
			return s('g', { class: 'mark', role: 'link', 'aria-label': text, tabindex: index === current ? 0 : -1,
				onfocus: () => read(text), onpointerenter: () => read(text), onclick: () => open(bucket),
				onkeydown: (event) => { if (event.key === 'Enter') open(bucket); } },
				s('rect', { class: 'hit', x: left, width: Math.max(1, right - left), y: TOP, height: room }), parts);
		});
		return [s('text', { class: 'tick', x: width, y: 11, 'text-anchor': 'end' }, `up to ${top.toLocaleString('en')} at a time`), bars];
	}

	function draw() {
		if (!shown || !width || isHeld) return;
		const hadFocus = svg.contains(document.activeElement);
		const thing = document.activeElement?.dataset.thing;
		svg.setAttribute('width', width);
		svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
		svg.setAttribute('aria-label', shown.label);
		const { step, found } = ticks(shown.from, shown.to, width);
		const now = Date.now();
		const placed = shown.buckets ? null : lanes(shown.schedules);
		const buckets = shown.buckets ?? (placed ? null : gather(shown));
		current = Math.min(current, Math.max(0, (placed ?? buckets).length - 1));
		replace(svg,
			s('rect', { class: 'past-ground', x: 0, y: TOP, width: Math.max(0, x(now)), height: HEIGHT - AXIS - TOP }),
			shown.until && s('rect', { class: 'unknown', x: x(shown.until), y: TOP, width: Math.max(0, width - x(shown.until)),
				height: HEIGHT - AXIS - TOP }),
			found.map((at) => [s('line', { class: 'grid', x1: x(at), x2: x(at), y1: TOP, y2: HEIGHT - AXIS + 4 }),
				x(at) < width - 30 && s('text', { class: 'tick', x: x(at) + 3, y: HEIGHT - 8 }, tickText(at, step))]),
			s('line', { class: 'base', x1: 0, x2: width, y1: HEIGHT - AXIS, y2: HEIGHT - AXIS }),
			placed ? drawMarks(placed) : drawBars(buckets),
			s('line', { class: 'now', x1: x(now), x2: x(now), y1: TOP - 4, y2: HEIGHT - AXIS }),
			s('text', { class: 'tick now-text', x: x(now) + 3, y: TOP - 6 }, `now ${offset(now)}`));
		read();
		const marks = [...svg.querySelectorAll('.mark')];
		if (hadFocus) (marks.find((mark) => thing && mark.dataset.thing === thing) ?? marks[current])?.focus();
	}

	svg.addEventListener('keydown', (event) => {
		const marks = [...svg.querySelectorAll('.mark')];
		const to = { ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: marks.length - 1 }[event.key];
		if (to === undefined || !marks[to]) return;
		event.preventDefault();
		marks[current]?.setAttribute('tabindex', -1);
		current = to;
		marks[to].setAttribute('tabindex', 0);
		marks[to].focus();
	});
	svg.addEventListener('focusin', (event) => {
		const index = [...svg.querySelectorAll('.mark')].indexOf(event.target);
		if (index >= 0) current = index;
	});
	svg.addEventListener('pointerleave', () => read());

	new ResizeObserver(([entry]) => {
		width = Math.floor(entry.contentRect.width);
		draw();
	}).observe(node);
	read();

	return {
		node,
		/** `{from, to, label}` and `schedules` in due order or `buckets`; `until` is how far they are known. */
		show(what) { shown = what; draw(); },
		draw,
	};
}

const BUCKETS = 90;

function gather({ from, to, schedules }) {
	const size = (to - from) / BUCKETS;
	const buckets = new Map();
	for (const schedule of schedules) {
		const index = Math.floor((Date.parse(schedule.scheduled_time) - from) / size);
		const bucket = buckets.get(index) ?? { from: from + index * size, to: from + (index + 1) * size };
		const kind = kindOf(schedule);
		bucket[kind] = (bucket[kind] ?? 0) + 1;
		buckets.set(index, bucket);
	}
	return [...buckets.values()].sort((a, b) => a.from - b.from);
}

"""##,
"verify.js": ##"""
/**
 * Proves in the browser that an entry is in the log: its leaf from its exact bytes, the way up the Merkle tree
 * (RFC 6962, section 2.1), and the signed checkpoint (C2SP signed-note, Ed25519) at the top.
 */

import { get, getBytes, getPlain, getText, memory } from './api.js';

const encoder = new TextEncoder();

const bytesOf = (base64) => Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
const isEqual = (a, b) => a.length === b.length && a.every((byte, index) => byte === b[index]);
const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

async function sha256(...parts) {
	const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) { all.set(part, at); at += part.length; }
	return new Uint8Array(await crypto.subtle.digest('SHA-256', all));
}

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

const leafHash = (entry) => sha256(LEAF, entry);

/** The root that leaf and proof lead to (RFC 9162, section 2.1.3.2); `null` if the proof has a wrong length. */
async function rootOf(leaf, index, size, hashes) {
	let [node, last, root] = [BigInt(index), BigInt(size) - 1n, leaf];
	for (const hash of hashes) {
		if (last === 0n) return null;
		if (node & 1n || node === last) {
			root = await sha256(NODE, hash, root);
			while (!(node & 1n) && node !== 0n) { node >>= 1n; last >>= 1n; }
		} else root = await sha256(NODE, root, hash);
		node >>= 1n;
		last >>= 1n;
	}
	return last === 0n ? root : null;
}

/** A verifier key: `<name>+<key id>+<base64 of 0x01 ‖ key>`. */
async function readVerifier(text) {
	const [, name, id, base64] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
	if (!name) throw new Error('the public key has not the form of a verifier key');
	const key = bytesOf(base64);
	const digest = await sha256(encoder.encode(`${name}\n`), key);
	if (key.length !== 33 || key[0] !== 1 || hexOf(digest.slice(0, 4)) !== id) throw new Error('the public key does not fit its id');
	return { name, id: digest.slice(0, 4), key: key.slice(1) };
}

async function readCheckpoint(note, verifierText) {
	const verifier = await readVerifier(verifierText);
	const end = note.lastIndexOf('\n\n');
	const text = note.slice(0, end + 1);
	const [origin, size, root] = text.split('\n');
	const key = await crypto.subtle.importKey('raw', verifier.key, { name: 'Ed25519' }, false, ['verify']);
	for (const line of note.slice(end + 2).split('\n')) {
		const [, name, base64] = /^— (\S+) (\S+)$/.exec(line) ?? [];
		if (name !== verifier.name) continue;
		const signature = bytesOf(base64);
		if (!isEqual(signature.slice(0, 4), verifier.id)) continue;
		const holds = await crypto.subtle.verify({ name: 'Ed25519' }, key, signature.slice(4), encoder.encode(text));
		if (!holds) throw new Error('the signature of the checkpoint does not hold');
		if (origin !== verifier.name) throw new Error('the checkpoint is of another log');
		return { origin, size: Number(size), root: bytesOf(root) };
	}
	throw new Error('the checkpoint is not signed with this key');
}

/** The key that this browser saw first for a log; another one later is a warning. */
function pinned(verifier) {
	const place = `daybook-key-${verifier.split('+')[0]}`;
	const seen = memory((has) => has.getItem(place)) ?? null;
	if (seen === null) memory((has) => has.setItem(place, verifier));
	return seen === null ? 'first' : seen === verifier ? 'same' : 'other';
}

/** Where the bytes have the digest of a payload: SHA-256 of salt and bytes. */
async function payloadIsProved(entry, payload) {
	const digest = await sha256(bytesOf(payload.salt), bytesOf(payload.base64));
	for (let at = 0; at + 32 <= entry.length; at += 1) {
		if (entry[at] === digest[0] && isEqual(entry.subarray(at, at + 32), digest)) return true;
	}
	return false;
}

/**
 * Verifies one entry step by step; `step` is told each that holds.
 */
export async function verifyEntry(position, step) {
	if (!crypto.subtle) throw new Error('the browser computes nothing for pages without HTTPS (or localhost)');
	const [entry, proof, verifier, shown] = await Promise.all([
		getBytes(`/log/${position}`), get(`/log/${position}/proof`), getText('/log/public-key'),
		getPlain(`/log/${position}`, { payloads: true })]);
	const leaf = await leafHash(entry);
	if (!isEqual(leaf, bytesOf(proof.leaf_hash))) throw new Error('the bytes of the entry are not those that the proof is of');
	step(`The leaf hash of the entry's ${entry.length} bytes is ${hexOf(leaf)}.`);
	const checkpoint = await readCheckpoint(proof.checkpoint, verifier);
	step(`The checkpoint of ${checkpoint.origin} at size ${checkpoint.size} carries a valid Ed25519 signature.`);
	if (checkpoint.size !== proof.tree_size) throw new Error('the proof is of another size than the checkpoint');
	const root = await rootOf(leaf, position - 1, checkpoint.size, proof.hashes.map(bytesOf));
	if (!root || !isEqual(root, checkpoint.root)) throw new Error('the proof does not lead to the signed root');
	step(`${proof.hashes.length} hashes lead from the leaf to the signed root ${hexOf(root)}.`);
	for (const payload of shown.payloads.filter((one) => !one.erased)) {
		if (!(await payloadIsProved(entry, payload))) throw new Error('a payload is not the one that the entry has the digest of');
		step(`The payload of event ${payload.event_index + 1} is the one whose digest stands in these bytes.`);
	}
	return { trust: pinned(verifier.trim()), verifier: verifier.trim() };
}

"""##,
"view-admin.js": ##"""
/** The license and the keys. */

import { everything, get, may, session } from './api.js';
import { limitField, nameField } from './acts.js';
import { bdi, box, button, facts, h } from './dom.js';
import { ask, choiceField, tell, timeField } from './forms.js';
import { hear } from './live.js';
import { actor } from './names.js';
import { fullTime, time } from './time.js';
import { acts, area, col, num, section, tableOf } from './widgets.js';

const setLicense = (team) => ask({
	title: ['License of ', bdi(team.name)], method: 'PATCH', path: `/teams/${team.id}/license`, etag: `"${team.revision}"`,
		done: 'The license is set.',
	fields: [limitField(team.max_concurrent_runs, '0: nothing starts.')],
});

async function createKey(teams) {
	const made = await ask({
		title: 'New key', action: 'Make it', path: '/api-keys',
		fields: [nameField('', 'Who or what uses it: it stands in the log.'),
			choiceField('role', 'Role', [['read', 'read: sees'], ['write', 'write: sees and changes'], ['work', 'work: carries out runs'],
			['admin', 'admin: everything']]),
			choiceField('team_id', 'Team', teams.map((one) => [one.id, one.name]), { value: session.team_id }),
				timeField('expires_at', 'Holds until')],
	});
	if (made) tell('The new key', [h('p', 'It is shown this once. Put it where it is safe.'),
		h('pre', { tabindex: '0', role: 'group', 'aria-label': 'The key' }, made.key)]);
}

const revokeKey = (key) => ask({
	title: 'Revoke this key?', action: 'Revoke', danger: true, method: 'DELETE', path: `/api-keys/${key.id}`, done: 'The key is revoked.',
	content: h('p', 'Whoever uses ', bdi(key.name), ' is refused from now on, and its sessions end. This cannot be taken back.',
		key.id === session.key_id && h('strong', ' It is the key that you are signed in with.')),
});

const keyState = (key) => (key.revoked_at ? ['revoked ', time(key.revoked_at)] : key.expires_at && Date.parse(key.expires_at) < Date.now()
	? 'expired' : h('span.good', 'holds'));

export function view() {
	const own = area((signal) => get('/license', {}, signal),
		(license) => facts([['Runs at once', license.max_concurrent_runs], ['In progress', String(license.in_progress)],
		['Waiting', String(license.queued)], ['Team', h('code', license.team_id)]]));
	const me = facts([['Key', bdi(session.key_name)], ['Role', session.role], ['The session ends', fullTime(session.expires_at)],
		['Id', h('code', session.key_id)]]);
	if (!may('admin')) return { node: box('view', section('License of the team', own), section('Your key', me)), end() {} };

	let known = [];
	const teams = area((signal) => everything('/teams', signal), (items) => {
		known = items;
		return tableOf(items, {
			caption: 'Teams',
			columns: [col('Team', (one) => bdi(one.name)), num('Runs at once', (one) => one.max_concurrent_runs),
				num('Changed', (one) => time(one.updated_at)), col('Id', (one) => h('code', one.id)),
				acts('Change', (one) => button('License', () => setLicense(one), { 'aria-label': `License of ${one.name}` }))],
		});
	});
	const readKeys = async (signal) => {
		known = await everything('/teams', signal);
		return everything('/api-keys', signal);
	};
	const keys = area(readKeys, (items) => tableOf(items, {
		caption: 'Keys, newest first',
		columns: [col('Name', (one) => bdi(one.name)), col('Role', (one) => one.role),
			col('Team', (one) => bdi(known.find((team) => team.id === one.team_id)?.name ?? one.team_id)), col('State', keyState),
			num('Last used', (one) => time(one.last_used_at)),
			num('Ends', (one) => time(one.expires_at)), col('Made by', (one) => actor(one.created_by)),
				acts('Change', (one) => !one.revoked_at && button('Revoke', () => revokeKey(one),
				{ class: 'danger', 'aria-label': `Revoke ${one.name}` }))],
	}));
	const unhear = hear((entries) => {
		const names = entries.flatMap((entry) => entry.events.map((event) => event.event));
		if (names.some((name) => name === 'team_created' || name === 'license_set')) { teams.reload(); own.reload(); }
		if (names.some((name) => name === 'key_created' || name === 'key_revoked')) keys.reload();
	});
	return {
		node: box('view', box('actions', button('New key', () => createKey(known), { class: 'primary' })),
			section('License of your team', own), section('Teams', teams), section('Keys', keys), section('Your key', me)),
		end: unhear,
	};
}

"""##,
"view-hooks.js": ##"""
/** Triggers with their refusals, completion webhooks with their deliveries. */

import { everything, get, may } from './api.js';
import { bdi, box, button, facts, h, link, quiet, replace, words } from './dom.js';
import { ask, tell, timeField } from './forms.js';
import { liveList, liveThing } from './list.js';
import { code, positionLink, runLink, workflowLink } from './names.js';
import { duration, fullTime, time } from './time.js';
import { acts, area, choices, col, empty, longText, num, section, status, tableOf } from './widgets.js';

const triggerState = (one) => (!one.enabled ? 'disabled' : one.state?.status ?? 'listening');

export function view({ query, go }) {
	return liveList({
		path: '/workflow-triggers', query, go, idIn: 'trigger_id', births: ['trigger_created', 'trigger_deleted'],
			caption: 'Triggers, newest first', nothing: 'There is no trigger yet.',
		columns: [col('Trigger', (one) => link(`#/triggers/${one.id}`, bdi(one.name))), col('Kind', (one) => one.kind),
			col('State', (one) => h('span', { class: triggerState(one) === 'degraded' ? 'bad' : '' }, triggerState(one))),
			col('Workflow', (one) => workflowLink(one.workflow_id)), num('Changed', (one) => time(one.updated_at))],
	});
}

async function toggle(path, what) {
	const now = await get(path);
	return ask({
		title: `${now.enabled ? 'Disable' : 'Enable'} this ${what}?`, action: now.enabled ? 'Disable' : 'Enable',
			content: h('p', bdi(now.name)), done: `The ${what} is ${now.enabled ? 'disabled' : 'enabled'}.`,
		method: 'PATCH', path, etag: now.etag, body: { enabled: !now.enabled },
	});
}

function showRefusals(id, { items, turned_away: away }, reload) {
	const retry = (refusal) => ask({
		title: 'Take this message after all?', action: 'Make a run of it', content: h('p', 'It is judged by the trigger as it is now.'),
			done: 'The message became a run.',
		path: `/workflow-triggers/${id}/refusals/${refusal.id}/retry`,
	}).then((run) => { if (run) reload(); });
	const counts = Object.entries(away.counts);
	return [items.length === 0 ? empty('No message was kept as refused.') : tableOf(items, {
		caption: 'Messages that were kept',
		columns: [num('When', (one) => time(one.created_at)), col('Why',
			(one) => [words(one.reason), one.detail && [': ', longText(one.detail)]]),
			col('Message', (one) => (one.erased ? 'erased' : longText(one.body ?? one.body_base64 ?? '', 120))),
				col('Run', (one) => (one.run_id ? runLink(one.run_id) : may('write')
				? button('Take it', () => retry(one), { 'aria-label': `Take the message ${one.id}` }) : '–'))],
	}), quiet('Turned away since the service started: ', counts.map(([reason, count]) => `${count} ${words(reason)}`).join(', ') || 'nothing', '.')];
}

export function one({ id }) {
	const path = `/workflow-triggers/${id}`;
	const refusals = area((signal) => get(`${path}/refusals`, { limit: 100 }, signal),
		(page) => showRefusals(id, page, () => refusals.reload()));
	const heading = h('span', 'Trigger');
	let seen = false;
	const thing = liveThing({
		id, idIn: 'trigger_id',
		load: (signal) => get(path, {}, signal),
		show: (trigger) => {
			replace(heading, bdi(trigger.name));
			if (seen) refusals.reload();
			seen = true;
			return [may('write') && box('actions', button(trigger.enabled ? 'Disable' : 'Enable', () => toggle(path, 'trigger')),
				link(`#/runs?trigger_id=${id}`, 'Its runs')),
				section('The trigger', facts([['State', triggerState(trigger)],
					['Reason', trigger.state?.reason && longText(trigger.state.reason)], ['Kind', trigger.kind],
					['Workflow', workflowLink(trigger.workflow_id)], ['Version', trigger.version ?? 'the active one'],
					['Path', trigger.path && h('code', trigger.path)], ['Queue', trigger.queue_url && bdi(trigger.queue_url)],
						['Verification', trigger.verification?.type], ['Made', fullTime(trigger.created_at)], ['Id', h('code', id)]]))];
		},
	});
	return { title: heading, node: box('view', thing.node, section('Refused messages', refusals)), end: thing.end };
}

const DELIVERY = choices('pending', 'retrying', 'delivered', 'failed');

const retryDelivery = (id) => ask({
	title: 'Send it again?', action: 'Send again', content: h('p', 'The receiver gets the same body with the same id.'),
		done: 'It will be sent again.',
	path: `/workflow-webhooks/events/${id}/retry`,
});

async function attempts(id) {
	const { items } = await get(`/workflow-webhooks/events/${id}/attempts`, { limit: 100 });
	return tell('Attempts', items.length === 0 ? empty('It was not sent yet.') : tableOf(items, {
		caption: 'Attempts, the last one first',
		columns: [num('Attempt', (one) => one.attempt ?? '–'), num('When', (one) => time(one.started_at)),
			num('Took', (one) => (one.latency_ms === null ? '–' : duration(one.latency_ms))),
				col('Answer', (one) => [one.status_code ?? one.error ?? '–', one.answer && [' ', longText(one.answer, 120)]]),
					col('Entry', (one) => positionLink(one.position))],
	}), true);
}

const deliveries = (query, fixed, go) => liveList({
	path: '/workflow-webhooks/events', query, fixed, go, idIn: 'delivery_id',
		births: ['run_completed', 'run_failed', 'run_cancelled', 'deliveries_requeued'], caption: 'Deliveries, newest first',
		nothing: 'Nothing was to be delivered yet.',
	fields: [{ name: 'status', label: 'State', options: DELIVERY }],
	columns: [num('When', (one) => time(one.occurred_at)), col('State', (one) => status(one.status)),
		col('Event', (one) => words(one.action)), col('Of', (one) => (one.run_id ? runLink(one.run_id) : workflowLink(one.workflow_id))),
		num('Answer', (one) => one.status_code ?? '–'), num('Next', (one) => time(one.next_attempt_at)),
		acts('Look', (one) => [button(`${one.attempts} attempt${one.attempts === 1 ? '' : 's'}`, () => attempts(one.id)),
			may('write') && (one.status === 'failed' || one.status === 'delivered')
			&& button('Send again', () => retryDelivery(one.id), { 'aria-label': `Send ${one.id} again` })])],
});

const hookState = ({ gone, enabled, circuit }) => (gone ? 'gone' : !enabled ? 'disabled'
	: circuit.state === 'closed' ? 'enabled' : `held back: its circuit is ${words(circuit.state)}`);

export function webhooks({ query, go }) {
	const log = deliveries(query, {}, go);
	const list = area((signal) => everything('/workflow-webhooks', signal),
		(items) => (items.length === 0 ? empty('There is no completion webhook yet.') : tableOf(items, {
		caption: 'Completion webhooks, newest first',
		columns: [col('Name', (one) => link(`#/webhooks/${one.id}`, bdi(one.name))), col('Sends to', (one) => bdi(one.url)),
			col('State', hookState),
			col('Tells of', (one) => one.actions.map(words).join(', '))],
	})));
	return { title: 'Completion webhooks', node: box('view', section('Webhooks', list), section('Deliveries', log.node)), end: log.end };
}

const replay = (id) => ask({
	title: 'Send again what was lost', action: 'Send again', path: `/workflow-webhooks/${id}/replay`,
	content: h('p', 'What has ended in this time is sent again, with the same ids, at most 500 at a time.'),
	fields: [timeField('after', 'Of what happened after', { required: true }), timeField('until', 'and until')],
	done: (said) => `${said.requeued} deliveries will be sent again.${said.next_after === null ? '' : ' There are more after these.'}`,
});

export function webhook({ id, query, go }) {
	const path = `/workflow-webhooks/${id}`;
	const heading = h('span', 'Completion webhook ', code(id));
	const log = deliveries(query, { subscription_id: id }, go);
	const thing = liveThing({
		id, idIn: 'subscription_id',
		load: (signal) => get(path, {}, signal),
		show: (hook) => {
			replace(heading, bdi(hook.name));
			return [may('write') && box('actions', button('Replay', () => replay(id)),
				button(hook.enabled ? 'Disable' : 'Enable', () => toggle(path, 'webhook'))),
				section('The webhook', facts([['Sends to', bdi(hook.url)], ['State', hookState(hook)],
					['Circuit', [hook.circuit.state, hook.circuit.open_until && [' until ', time(hook.circuit.open_until)]]],
					['Tells of', hook.actions.map(words).join(', ')],
					['Retries', `${hook.max_retries}, first wait ${hook.retry_backoff_seconds} s`], ['Time-out', `${hook.timeout_seconds} s`],
						['Made', fullTime(hook.created_at)], ['Id', h('code', id)]]))];
		},
	});
	return { title: heading, node: box('view', thing.node, section('Deliveries', log.node)), end() { thing.end(); log.end(); } };
}

"""##,
"view-log.js": ##"""
/** The log as it grows; one entry and its proof. */

import { getPlain, getText } from './api.js';
import { box, button, facts, h, link, replace, throttle, words } from './dom.js';
import { indent } from './json.js';
import { hear } from './live.js';
import { actor, workflowChoices, code, positionLink } from './names.js';
import { EVENT_NAMES, entryItem, sentence } from './sentences.js';
import { fullTime } from './time.js';
import { verifyEntry } from './verify.js';
import { area, filters, payload, section } from './widgets.js';

const KEPT = 300;
/** Positions of the first look back; the next ones are longer. */
const WINDOW = 50;
const LOOKS = 12;

const OBJECTS = { schedule_id: 'schedules', run_id: 'runs', workflow_id: 'workflows' };

const end = async () => Number((await getText('/log/checkpoint')).split('\n')[1]);

/** Entries up to a position that fit, newest first, and how far it was looked back. */
async function lookBack(upTo, filter, signal) {
	let window = WINDOW;
	let bottom = upTo;
	let found = [];
	for (let looks = 0; looks < LOOKS && bottom > 0 && found.length < 10;) {
		const start = Math.max(0, bottom - window);
		const part = [];
		for (let after = start; after < bottom && looks < LOOKS; looks += 1) {
			const page = await getPlain('/log', { ...filter, after, limit: 100 }, signal);
			part.push(...page.items.filter((entry) => entry.position <= bottom));
			after = Math.max(page.through, after + 1);
		}
		found = [...found, ...part.reverse()];
		bottom = start;
		window *= 8;
	}
	return { found, bottom };
}

function fits(entry, filter) {
	const has = ([name, value]) => {
		if (name === 'from') return Date.parse(entry.recorded_at) >= Date.parse(value);
		if (name === 'to') return Date.parse(entry.recorded_at) < Date.parse(value);
		if (name === 'actor') return entry.actor === value || entry.actor.startsWith(`${value}:`);
		return entry.events.some((event) => event[name] === value);
	};
	return Object.entries(filter).every(has);
}

export function view({ query, go }) {
	const list = h('ol.entries');
	const below = box('actions');
	let isFollowing = true;
	let waiting = [];
	let bottom = 0;
	/** The newest position that was read; `null` before. */
	let top = null;
	let isLooking = false;

	const further = async (signal) => {
		isLooking = true;
		try {
			const looked = await lookBack(bottom, query, signal);
			bottom = looked.bottom;
			list.append(...looked.found.map(entryItem));
		} finally { isLooking = false; }
		tellBelow();
	};
	function tellBelow() {
		replace(below, bottom > 0 && button('Look further back', () => further()),
			h('span.quiet', bottom > 0 ? `Looked back to #${bottom + 1}.` : 'This is where the log begins.'));
	}
	const shown = area(async (signal) => {
		const size = await end();
		bottom = size;
		list.replaceChildren();
		await further(signal);
		top = size;
		put();
	}, () => [list, below]);

	const put = throttle(250, () => {
		if (top === null) return;
		// The stream also tells what was just read.
		waiting = waiting.filter((entry) => entry.position > top);
		if (!isFollowing) { follow.textContent = `Follow again (${waiting.length} new)`; return; }
		if (waiting.length === 0) return;
		top = waiting[0].position;
		list.prepend(...waiting.map(entryItem));
		waiting = [];
		if (isLooking || list.children.length <= KEPT) return;
		while (list.children.length > KEPT) list.lastChild.remove();
		bottom = list.lastChild.dataset.position - 1;
		tellBelow();
	});
	const follow = button('Hold still', () => {
		isFollowing = !isFollowing;
		follow.textContent = isFollowing ? 'Hold still' : 'Follow again';
		put();
	});
	const unhear = hear((entries) => {
		const fitting = entries.filter((entry) => fits(entry, query)).reverse();
		if (fitting.length === 0) return;
		waiting = [...fitting, ...waiting].slice(0, KEPT);
		put();
	});

	const things = Object.keys(OBJECTS).filter((name) => query[name]);
	return {
		node: h('div.view',
			filters([{ name: 'event', label: 'Event', options: EVENT_NAMES.map((name) => [name, words(name)]) },
				{ name: 'workflow_id', label: 'Workflow', options: workflowChoices() },
				{ name: 'schedule_id', label: 'Schedule' }, { name: 'run_id', label: 'Run' },
					{ name: 'actor', label: 'By (key, system, key:id)' },
				{ name: 'from', label: 'From', type: 'datetime-local' }, { name: 'to', label: 'and before', type: 'datetime-local' }], query, go),
			box('actions', follow, things.map((name) => link(`#/${OBJECTS[name]}/${query[name]}`,
				`Its history, and how it was: ${OBJECTS[name].slice(0, -1)} `, code(query[name])))),
			shown),
		end: unhear,
	};
}

const TRUST = {
	first: ', which this browser sees for the first time. Compare it with the one that you keep elsewhere.',
	same: ', the same as when this browser saw it first.',
	other: '. Warning: this browser has seen another key for this log before.',
};

function verifyPart(position) {
	const said = h('div', { role: 'status' });
	const start = button('Verify in this browser', async () => {
		const steps = h('ol');
		replace(said, steps);
		start.disabled = true;
		try {
			const { trust, verifier } = await verifyEntry(position, (text) => steps.append(h('li', text)));
			said.append(h('p.verdict.good', h('strong', '✓ Verified: '), `entry #${position} is in the signed log.`),
				h('p', { class: trust === 'other' ? 'bad' : 'quiet small' }, 'Signed by the key ', h('code', verifier),
					TRUST[trust]));
		} catch (error) {
			said.append(h('p.problem.verdict', h('strong', '✕ Not verified: '), error.message,
				error.code && ` (${error.code})`, '.'));
		}
		start.disabled = false;
	}, { class: 'primary' });
	return section('Proof', h('p', 'The hash of the exact bytes, the way up the tree and the signature at its top are computed',
		' here, not asked of the server.'), start, said);
}

const previous = (entry) => [...new Set(entry.events.map((event) => event.previous).filter((one) => one > 0))];

export function one({ id: position }) {
	const shown = area(async (signal) => getPlain(`/log/${position}`, {}, signal), (entry) => [
		section('What happened', h('p', sentence(entry)),
			facts([['Recorded', fullTime(entry.recorded_at)], ['By', actor(entry.actor)], ['Command', words(entry.command)],
			['Request', h('code', entry.request_id)],
			['Led to by', entry.causation && positionLink(entry.causation)],
				['Before it, about the same', previous(entry).length > 0
				&& previous(entry).map((one, index) => [index ? ', ' : '', positionLink(one)])]])),
		verifyPart(Number(position)),
		section('As JSON', payload(indent(JSON.stringify(entry)), 'The entry as JSON')),
		h('nav.pager', { 'aria-label': 'Entries' }, Number(position) > 1 && link(`#/log/${Number(position) - 1}`,
			'The entry before'), link(`#/log/${Number(position) + 1}`, 'The entry after'))]);
	return { title: `Entry #${position}`, node: box('view', shown), end() {} };
}

"""##,
"view-now.js": ##"""
/** What is promised, runs, waits and failed: the page that stays open. */

import { get, getPlain, may, pages, queryText } from './api.js';
import { createSchedule, moveSchedule } from './acts.js';
import { box, button, h, link, replace, s, throttle, words } from './dom.js';
import { hear } from './live.js';
import { allWorkflows, refresh, runLink, scheduleLink, workflowLink, workflowText } from './names.js';
import { entryItem } from './sentences.js';
import { DAY, HOUR, MINUTE, both, duration, since, time } from './time.js';
import { latenessKind, legend, timeline, total } from './timeline.js';
import { area, col, empty, num, section, tableOf } from './widgets.js';

const RANGES = {
	hour: { label: 'Hour', back: 15 * MINUTE, ahead: HOUR, redraw: MINUTE },
	day: { label: 'Day', back: 6 * HOUR, ahead: DAY, redraw: 15 * MINUTE },
	month: { label: 'Month', back: 7 * DAY, ahead: 31 * DAY, redraw: 6 * HOUR },
};
const BUCKETS = 90;
const SINGLE = 300;
const PAST_PAGES = 3;
const COMING_PAGES = 7;
const COUNTS = 40;

const iso = (at) => new Date(at).toISOString();

async function density(from, to, signal, onpart) {
	const buckets = [];
	let cursor;
	for (let asked = 0; asked < COUNTS && cursor !== null; asked += 1) {
		const part = await getPlain('/workflow-schedules/density', { from: iso(from), to: iso(to), buckets: BUCKETS, cursor }, signal);
		for (const { from: start, to: end, pending, in_progress: running, completed, failed, cancelled,
			max_lateness_ms: lateness } of part.items) {
			const more = { from: Date.parse(start), to: Date.parse(end), pending, [latenessKind(lateness)]: running + completed, failed,
				cancelled };
			const last = buckets.at(-1);
			// A part may be counted by two answers.
			if (last?.from === more.from) {
				for (const kind of Object.keys(more).filter((name) => name !== 'from' && name !== 'to')) last[kind] = (last[kind] ?? 0) + more[kind];
			} else buckets.push(more);
		}
		cursor = part.next_cursor;
		if (cursor) onpart({ buckets: [...buckets], until: buckets.at(-1)?.to ?? from });
	}
	return { buckets, until: cursor ? buckets.at(-1)?.to ?? from : undefined,
		count: buckets.reduce((sum, bucket) => sum + total(bucket), 0) };
}

async function single(from, now, to, signal) {
	const query = { order: 'scheduled_time' };
	const coming = await pages('/workflow-schedules', { ...query, from: iso(now), to: iso(to) },
		{ items: 100 * COMING_PAGES, pages: COMING_PAGES, signal });
	const past = (await pages('/workflow-schedules', { ...query, from: iso(from), to: iso(now) },
		{ items: 100 * PAST_PAGES, pages: PAST_PAGES, signal })).items;
	return { schedules: [...past, ...coming.items], until: coming.more ? Date.parse(coming.items.at(-1).scheduled_time) : undefined };
}

function timelinePart(range, go) {
	const { back, ahead, redraw } = RANGES[range];
	const frame = () => {
		const [from, to] = [Date.now() - back, Date.now() + ahead];
		return { from, to, label: `Promises from ${both(from)} to ${both(to)}` };
	};
	const said = h('p.quiet.small');
	const open = (what) => {
		location.hash = 'id' in what ? `#/schedules/${what.id}`
			: `#/schedules${queryText({ order: 'scheduled_time', from: iso(what.from), to: iso(what.to) })}`;
	};
	let isMoving = false;
	async function move(schedule, target) {
		if (isMoving) return;
		isMoving = true;
		try { if (await moveSchedule(schedule.id, target)) reload(); } finally { isMoving = false; }
	}
	const line = timeline({
		open, move: may('write') ? move : undefined,
		describe: ({ workflow_id: id, scheduled_time: due, status, lateness_ms: late }) =>
			`${workflowText(id)}, ${both(due)}, ${words(status)}${late >= 1000 ? `, ${duration(late)} late` : ''}`,
	});
	let shown = new Map();
	const aborter = new AbortController();
	let isLoading = false;
	let isStale = false;

	async function load(signal) {
		const at = frame();
		const show = (part) => line.show({ ...at, ...part });
		let found = await density(at.from, at.to, signal, show);
		if (found.count <= SINGLE) found = await single(at.from, at.from + back, at.to, signal);
		shown = new Map((found.schedules ?? []).map((one) => [one.id, one]));
		show(found);
		const count = found.count ?? found.schedules.length;
		said.textContent = found.until
			? `The first ${count.toLocaleString('en')} schedules, up to ${both(found.until)}. There are more after that.`
			: count ? `${count.toLocaleString('en')} schedules.` : 'Nothing is promised in this time.';
	}

	async function reload() {
		if (isLoading) { isStale = true; return; }
		[isLoading, isStale] = [true, false];
		try {
			await load(aborter.signal);
		} catch (error) {
			if (error.name !== 'AbortError') said.textContent = `The timeline could not be read: ${error.message} (${error.code}).`;
		}
		isLoading = false;
		// Something changed while it was read.
		if (isStale) reloadSoon();
	}

	const reloadSoon = throttle(3000, reload);
	const touched = new Set();
	const patch = throttle(500, async () => {
		const ids = [...touched];
		touched.clear();
		if (ids.length > 12) return reloadSoon();
		const read = await Promise.all(ids.map((id) => get(`/workflow-schedules/${id}`).catch(() => null)));
		for (const one of read.filter(Boolean)) shown.set(one.id, one);
		const at = frame();
		const inside = ({ scheduled_time: time }) => Date.parse(time) >= at.from && Date.parse(time) < at.to;
		line.show({ ...at, schedules: [...shown.values()].filter(inside).sort((a, b) => (a.scheduled_time < b.scheduled_time ? -1 : 1)) });
	});

	function take(entries) {
		for (const event of entries.flatMap((entry) => entry.events)) {
			if (!event.schedule_id) continue;
			isStale ||= isLoading;
			if (shown.size === 0 || shown.size > SINGLE) reloadSoon();
			else { touched.add(event.schedule_id); patch(); }
		}
	}

	const moving = setInterval(reload, redraw);
	reload();
	const choice = h('div.segments', { role: 'group', 'aria-label': 'How far to look' },
		Object.entries(RANGES).map(([name, { label }]) => button(label, () => go(name), { 'aria-pressed': String(name === range) })));
	return {
		node: section('Promises', box('beside', choice, legend()), line.node, said),
		take,
		end() { clearInterval(moving); aborter.abort(); },
	};
}

const bar = (value, limit, label) => h('div.slots', h('span', label),
	s('svg', { height: 10, width: '100%', 'aria-hidden': 'true' }, limit > 0
		&& [s('rect', { class: 'bar-ground', width: '100%', height: 10, rx: 3 }),
		s('rect', { class: value >= limit ? 'bar-full' : 'bar-used', width: `${Math.min(100, (100 * value) / limit)}%`, height: 10, rx: 3 })]),
	h('span.number', limit ? `${value} of ${limit}` : `${value}`));

async function loadSlots(signal) {
	const [license, running, queued] = await Promise.all([get('/license', {}, signal),
		pages('/workflow-runs', { status: 'in_progress' }, { items: 500, pages: 5, signal }),
			pages('/workflow-runs', { status: 'queued' }, { items: 300, pages: 3, signal })]);
	return { license, running, queued };
}

function showSlots({ license, running }) {
	const by = new Map();
	for (const run of running.items) by.set(run.workflow_id, (by.get(run.workflow_id) ?? 0) + 1);
	const listed = allWorkflows().filter((one) => by.has(one.id) || one.max_concurrent_runs > 0 || one.paused);
	return [bar(license.in_progress, license.max_concurrent_runs, h('strong', 'Team')),
		listed.slice(0, 12).map((one) => bar(by.get(one.id) ?? 0, one.max_concurrent_runs, [workflowLink(one.id), one.paused && ' (paused)'])),
		listed.length > 12 && h('p', link('#/workflows', `and ${listed.length - 12} more workflows`)),
		running.more && h('p.quiet.small', `Counted by workflow over the ${running.items.length} newest runs in progress.`)];
}

function showQueue({ license, queued }) {
	if (license.queued === 0) return empty('Nothing waits.');
	const head = queued.items.reduce((first, run) => (!first || run.queued_at < first.queued_at ? run : first), null);
	const by = new Map();
	for (const run of queued.items) by.set(run.workflow_id, (by.get(run.workflow_id) ?? 0) + 1);
	return [h('p', h('strong', license.queued.toLocaleString('en')), license.queued === 1 ? ' run waits.' : ' runs wait.',
		head && [' The ', queued.more ? 'oldest one seen has waited at least ' : 'head has waited ',
			h('strong', since(head.queued_at)), ': ',
			runLink(head.id, 'why?')]),
	h('ul.plain-list', [...by].sort((a, b) => b[1] - a[1]).slice(0,
		8).map(([id, count]) => h('li', workflowLink(id), ' ', h('span.number.quiet',
		queued.more ? `${count} of the newest` : count))))];
}

async function loadFailures(signal) {
	// What failed today may have been queued or due before.
	const [begin, from] = [iso(Date.now() - DAY), iso(Date.now() - 3 * DAY)];
	const [runs, schedules] = await Promise.all([pages('/workflow-runs', { status: 'failed', from }, { items: 100, pages: 3, signal }),
		pages('/workflow-schedules', { status: 'failed', from }, { items: 100, pages: 2, signal })]);
	return [...runs.items, ...schedules.items.filter((one) => !one.run_id)].filter((one) => one.updated_at >= begin)
		.sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1)).slice(0,
		10);
}

const showFailures = (items) => (items.length === 0 ? empty('No failures in the last 24 hours.') : tableOf(items, {
	caption: 'Failures of the last 24 hours, newest first',
	columns: [num('When', (one) => time(one.updated_at)), col('Workflow', (one) => workflowLink(one.workflow_id)),
		col('Why', (one) => (one.error ? words(one.error.reason) : one.error_message ?? 'expired')),
		col('What', (one) => ('attempt' in one ? runLink(one.id, 'the run') : scheduleLink(one.id, 'the schedule')))],
}));

async function loadHealth(signal) {
	try {
		return await get('/readyz', {}, signal);
	} catch (error) {
		if (error.status === 503 && error.body.status) return error.body;
		throw error;
	}
}

const showHealth = ({ status: name, reasons = [], warnings = [] }) => [
	h('p', h('strong', { class: name === 'ready' ? 'good' : 'bad' }, name === 'ready' ? '✓ Ready: promises are kept' : '✕ Not ready')),
	h('ul.plain-list', [...reasons, ...warnings].map((text) => h('li', text)))];

export function view({ query, go }) {
	const range = RANGES[query.range] ? query.range : 'hour';
	const line = timelinePart(range, (name) => go({ range: name }));
	const queue = h('div');
	const slots = area(loadSlots, (loaded) => {
		replace(queue, showQueue(loaded));
		return showSlots(loaded);
	});
	const failures = area(loadFailures, showFailures);
	const health = area(loadHealth, showHealth);
	const last = h('ol.entries', h('li.quiet', 'Nothing happened since this page was opened.'));
	let newest = [];
	const tell = throttle(400, () => replace(last, newest.map(entryItem)));
	const countAgain = throttle(1000, slots.reload);
	const failAgain = throttle(2000, failures.reload);
	const renamed = throttle(500, () => refresh().then(countAgain));

	// The disk and the clock write no entry; a green word must not outlive what it says.
	const checkHealth = throttle(MINUTE, health.reload);
	const unhear = hear((entries, state) => {
		if (state === 'lost') replace(health, h('p.bad', h('strong', '○ Not known: the connection is lost')));
		else if (entries.length === 0) health.reload();
		if (entries.length === 0) return;
		checkHealth();
		line.take(entries);
		newest = [...entries.toReversed(), ...newest].slice(0, 8);
		tell();
		const names = [...new Set(entries.flatMap((entry) => entry.events.map((event) => event.event)))];
		if (names.some((name) => name.startsWith('run_') || name === 'license_set')) countAgain();
		if (names.some((name) => name === 'run_failed' || name === 'schedule_expired')) failAgain();
		if (names.some((name) => name.startsWith('workflow_') || name === 'concurrency_set')) renamed();
		if (names.some((name) => ['paused', 'resumed', 'clock_trusted'].includes(name))) health.reload();
	});

	return {
		node: h('div.view',
			may('write') && box('actions', button('New schedule', () => createSchedule(), { class: 'primary' }),
				link('#/workflows', 'Run a workflow now')),
			line.node,
			h('div.columns', section('Slots', slots), section('Queue', queue), section('Health', health)),
			section('Failures', failures),
			section('Lately', last)),
		end() { unhear(); line.end(); },
	};
}

"""##,
"view-runs.js": ##"""
/** Runs: all of them, and one. */

import { get, getPlain, may } from './api.js';
import { cancelRun, runNow } from './acts.js';
import { bdi, box, button, facts, h, link, quiet, s, words } from './dom.js';
import { history } from './history.js';
import { liveList, liveThing } from './list.js';
import { actor, workflowChoices, code, positionLink, runLink, scheduleLink, workflowLink } from './names.js';
import { duration, fullTime, since, time, zone } from './time.js';
import { area, choices, col, longText, num, payload, section, status, tableOf } from './widgets.js';

export function view({ query, go }) {
	return liveList({
		path: '/workflow-runs', query, go, idIn: 'run_id', births: ['run_queued'], caption: `Runs, newest first; times are those of ${zone}`,
			nothing: 'Nothing has run yet.',
		fields: [{ name: 'status', label: 'State', options: choices('queued', 'in_progress', 'completed', 'failed', 'cancelled') },
			{ name: 'mode', label: 'Mode', options: choices('manual', 'scheduled', 'triggered') },
			{ name: 'workflow_id', label: 'Workflow', options: workflowChoices() },
				{ name: 'from', label: 'Queued from', type: 'datetime-local' }, { name: 'to', label: 'and before', type: 'datetime-local' },
			...['schedule_id', 'trigger_id'].filter((name) => query[name]).map((name) => ({ name,
				label: name === 'schedule_id' ? 'Schedule' : 'Trigger' }))],
		columns: [num('Queued', (run) => time(run.queued_at)), col('State', (run) => status(run.status)),
			col('Workflow', (run) => workflowLink(run.workflow_id)),
			col('Mode', (run) => run.mode), num('Attempt', (run) => run.attempt),
			num('Waited', (run) => (run.durations.slot_wait_ms === null ? '–' : duration(run.durations.slot_wait_ms))),
				num('Took', (run) => (run.durations.run_ms === null ? '–' : duration(run.durations.run_ms))),
			col('Error', (run) => (run.error && run.status === 'failed' ? words(run.error.reason) : '–')), col('Run', (run) => runLink(run.id))],
	});
}

/** The way of a run from its due time to its end, each part with how long it took. */
function strip(run) {
	const points = [run.scheduled_time && ['due', run.scheduled_time], run.fired_at && ['fired', run.fired_at], ['queued', run.queued_at],
		run.first_started_at && ['first started', run.first_started_at],
		run.started_at && run.started_at !== run.first_started_at && [`attempt ${run.attempt} started`, run.started_at],
			run.finished_at && ['finished', run.finished_at]].filter(Boolean)
		.map(([name, instant]) => ({ name, instant, at: Date.parse(instant) }));
	if (!run.finished_at) points.push({ name: 'now', at: Date.now() });
	const parts = points.slice(1).map((point, index) => ({ from: points[index], to: point, took: point.at - points[index].at }));
	const whole = parts.reduce((sum, part) => sum + Math.max(0, part.took), 0) || 1;
	// A part of no length still has a place; the widths are not to scale below a twelfth.
	const shares = parts.map((part) => Math.max(1 / 12, part.took / whole));
	const sum = shares.reduce((all, share) => all + share, 0);
	let x = 0;
	const kind = (part) => (part.to.name === 'finished' || (part.to.name === 'now' && run.status === 'in_progress')
		? 'work' : part.from.name === 'due' ? 'lag' : 'wait');
	return h('div.strip',
		s('svg', { width: '100%', height: 14, 'aria-hidden': 'true' }, parts.map((part, index) => {
			const width = (100 * shares[index]) / sum;
			const rect = s('rect', { class: `part ${kind(part)}`, x: `${x}%`, width: `${Math.max(0.5, width - 0.4)}%`, height: 14, rx: 3 });
			x += width;
			return rect;
		})),
		h('ol', points.map((point, index) => h('li', h('strong', point.name), ' ', point.instant && time(point.instant),
			index > 0 && h('span.quiet.number', ' after ', point.instant ? duration(parts[index - 1].took)
				: since(points[index - 1].instant))))));
}

const positions = (list) => list.length > 0 && [' Proved by ',
	list.map((position, index) => [index ? ', ' : '', positionLink(position)]), '.'];

function showWhy(why) {
	return [h('p.why', longText(why.summary), '.'),
		h('ul.causes', why.waits_for.map((cause) => h('li', h('strong', words(cause.reason)), ': ',
			bdi(cause.detail), '.', positions(cause.positions),
			cause.held_by?.length > 0 && h('details', h('summary', 'Who holds the slots'),
				h('ul', cause.held_by.map((holder) => h('li', runLink(holder.run_id), ' since ', positionLink(holder.position)))))))),
		why.running && h('p', `Attempt ${why.running.attempt}`, why.running.worker && [' at the worker ', bdi(why.running.worker)],
			' since ', time(why.running.started_at), '; its deadline is ', time(why.running.deadline), '.', positions(why.running.positions)),
		why.ended && h('p', `Ended at `, time(why.ended.at), ' by ', actor(why.ended.by), '.', positions(why.ended.positions)),
		h('p.quiet.small', 'As of ', positionLink(why.position), '.')];
}

const ATTEMPT = { run_started: 'started', lease_renewed: 'heard of', run_accepted: 'accepted', run_released: 'given back',
	run_completed: 'completed', run_retry_scheduled: 'failed, tried again later', run_failed: 'failed', run_cancelled: 'cancelled' };

async function loadAttempts(id, signal) {
	const { items } = await getPlain(`/workflow-runs/${id}/history`, { limit: 100 }, signal);
	const attempts = new Map();
	for (const entry of items.toReversed()) {
		for (const event of entry.events.filter((one) => one.event in ATTEMPT && one.attempt)) {
			const attempt = attempts.get(event.attempt) ?? { number: event.attempt };
			if (event.event === 'run_started') Object.assign(attempt, { started: entry.recorded_at, worker: event.worker });
			else if (event.event !== 'lease_renewed' && event.event !== 'run_accepted') attempt.ended = entry.recorded_at;
			Object.assign(attempt, { state: ATTEMPT[event.event], reason: event.reason ?? attempt.reason, position: entry.position });
			attempts.set(event.attempt, attempt);
		}
	}
	return [...attempts.values()];
}

const showAttempts = (attempts) => (attempts.length === 0 ? quiet('It has not started yet.') : tableOf(attempts, {
	caption: 'Attempts, in their order',
	columns: [num('Attempt', (one) => one.number), num('Started', (one) => time(one.started)), num('Ended', (one) => time(one.ended)),
		col('How', (one) => [one.state, one.reason && ` (${words(one.reason)})`]),
			col('Worker', (one) => (one.worker ? bdi(one.worker) : '–')), col('Entry', (one) => positionLink(one.position))],
}));

const runFacts = (run) => facts([['State', status(run.status)], ['Workflow', workflowLink(run.workflow_id)], ['Version', run.version],
	['Mode', run.mode], ['Schedule', run.schedule_id && scheduleLink(run.schedule_id)],
	['Trigger', run.trigger_id && link(`#/triggers/${run.trigger_id}`, code(run.trigger_id))],
		['Due', fullTime(run.scheduled_time)], ['Queued', fullTime(run.queued_at)], ['Started', fullTime(run.started_at)],
	['Finished', fullTime(run.finished_at)], ['Next try', fullTime(run.not_before)],
		['Deadline', run.status === 'in_progress' && fullTime(run.deadline)], ['Not later than', fullTime(run.expires_at)],
	['Attempt', `${run.attempt} (${run.tries} that count)`], ['Worker', run.worker && bdi(run.worker)], ['Priority', run.priority],
		['Asked by', actor(run.created_by)], ['Id', h('code', run.id)]]);

const payloads = (run) => (run.erased ? quiet('Its payloads were erased.') : [h('h3', 'Input'), payload(run.run_input, 'Run input'),
	run.status === 'completed' && [h('h3', 'Output'), payload(run.output, 'Output')]]);

export function one({ id }) {
	const path = `/workflow-runs/${id}`;
	const past = history(path, (then) => [runFacts(then), payloads(then)]);
	const attempts = area((signal) => loadAttempts(id, signal), showAttempts);
	let seen = null;
	let isQueued = false;
	const thing = liveThing({
		id, idIn: 'run_id',
		// Why it waits changes with the others.
		concerns: ({ event }) => isQueued && /^(run_(?!queued)|license_set|concurrency_set|workflow_mod|paused|resumed)/.test(event),
		load: async (signal) => {
			const [run, why] = await Promise.all([get(path, {}, signal), getPlain(`${path}/why`, {}, signal)]);
			return { run, why };
		},
		show: ({ run, why }) => {
			if (seen && seen !== run.updated_at) { attempts.reload(); past.reload(); }
			seen = run.updated_at;
			isQueued = run.status === 'queued';
			const isOver = ['completed', 'failed', 'cancelled'].includes(run.status);
			return [may('write') && box('actions', !isOver && button('Cancel the run', () => cancelRun(run)),
				button('Run again', () => runNow(run.workflow_id, run))),
				section('Its way', strip(run)), section('Why', showWhy(why), isQueued && button('Ask again', () => thing.reload())),
				run.error && section(run.status === 'failed' ? 'Error' : 'Last error',
					h('p', h('strong.bad', words(run.error.reason)), run.error.message && [': ', longText(run.error.message)])),
				section('Payloads', payloads(run)), section('Facts', runFacts(run))];
		},
	});
	return { title: ['Run ', code(id)], node: box('view', thing.node, section('Attempts', attempts), section('History', past)),
		end: thing.end };
}

"""##,
"view-schedules.js": ##"""
/** Promises: all of them, and one. */

import { get, may } from './api.js';
import { cancelSchedule, createSchedule, editSchedule, moveSchedule } from './acts.js';
import { bdi, box, button, facts, h, quiet } from './dom.js';
import { history } from './history.js';
import { liveList, liveThing } from './list.js';
import { actor, workflowChoices, code, runLink, scheduleLink, workflowLink } from './names.js';
import { duration, fullTime, relative, time, zone } from './time.js';
import { acts, choices, col, longText, num, payload, section, status } from './widgets.js';

const STATES = choices('pending', 'in_progress', 'completed', 'failed', 'cancelled');

export const lateness = (milliseconds) => (milliseconds === null ? '–'
	: h('span', { class: milliseconds >= 60_000 ? 'bad' : milliseconds >= 1000 ? 'warn' : '' },
		milliseconds < 1000 ? 'on time' : duration(milliseconds)));

export function view({ query, go }) {
	const list = liveList({
		path: '/workflow-schedules', query, go, idIn: 'schedule_id', births: ['schedule_created'],
		caption: `Schedules; times are those of ${zone}`, nothing: 'Nothing has been promised yet.',
		fields: [{ name: 'status', label: 'State', options: STATES }, { name: 'workflow_id', label: 'Workflow', options: workflowChoices() },
			{ name: 'from', label: 'Due from', type: 'datetime-local' }, { name: 'to', label: 'and before', type: 'datetime-local' },
				{ name: 'dedup_key', label: 'De-duplication key' },
			{ name: 'order', label: 'Order', isFixed: true, options: [['created', 'newest first'], ['scheduled_time', 'soonest first']] }],
		columns: [num('Due', (one) => time(one.scheduled_time)), col('State', (one) => status(one.status)),
			col('Workflow', (one) => workflowLink(one.workflow_id)), num('Late', (one) => lateness(one.lateness_ms)),
			col('Asked by', (one) => (one.scheduled_by_name ? bdi(one.scheduled_by_name) : '–')),
				col('Run', (one) => (one.run_id ? runLink(one.run_id) : '–')),
			col('Schedule', (one) => scheduleLink(one.id)),
			may('write') && acts('Change', (one) => one.status === 'pending'
				&& [button('Move', () => moveSchedule(one.id), { 'aria-label': `Move the schedule ${one.id}` }),
				button('Cancel', () => cancelSchedule(one.id), { 'aria-label': `Cancel the schedule ${one.id}` })])],
	});
	if (may('write')) list.node.prepend(box('actions', button('New schedule', () => createSchedule(query.workflow_id),
		{ class: 'primary' })));
	return list;
}

const scheduleFacts = (one) => facts([['State', status(one.status), ' ',
	one.status === 'pending' && h('span.quiet', relative(one.scheduled_time))],
	['Due', fullTime(one.scheduled_time)], ['Workflow', workflowLink(one.workflow_id)],
		['Version', one.version ?? 'the one active when it fires'],
	['Fired', one.fired_at && [fullTime(one.fired_at), ' ', lateness(one.lateness_ms)]], ['Run', one.run_id && runLink(one.run_id)],
		['Not later than', fullTime(one.expires_at)],
	['Error', one.error_message && longText(one.error_message)], ['Priority', one.priority],
		['Asked by', one.scheduled_by_name && bdi(one.scheduled_by_name)],
	['De-duplication key', one.dedup_key && bdi(one.dedup_key)], ['Promised', [fullTime(one.created_at), ' by ', actor(one.created_by)]],
		['Id', h('code', one.id)]]);

const input = (one) => (one.erased ? quiet('The payloads were erased.') : payload(one.run_input, 'Run input'));

export function one({ id }) {
	const path = `/workflow-schedules/${id}`;
	const past = history(path, (then) => [scheduleFacts(then), input(then)]);
	const thing = liveThing({
		id, idIn: 'schedule_id',
		load: (signal) => get(path, {}, signal),
		show: (schedule) => [
			may('write') && schedule.status === 'pending' && box('actions',
				button('Move', () => moveSchedule(id).then(renew), { class: 'primary' }), button('Change', () => editSchedule(id).then(renew)),
				button('Cancel the promise', () => cancelSchedule(id).then(renew))),
			section('The promise', scheduleFacts(schedule)), section('Run input', input(schedule))],
	});
	function renew(done) {
		if (!done) return;
		thing.reload();
		past.reload();
	}
	return { title: ['Schedule ', code(id)], node: box('view', thing.node, section('History', past)), end: thing.end };
}

"""##,
"view-workflows.js": ##"""
/** Workflows: all of them, and one. */

import { everything, get, may } from './api.js';
import { activate, createSchedule, createWorkflow, editDraft, editWorkflow, limitWorkflow, pauseWorkflow, runNow, saveVersion,
	versionText } from './acts.js';
import { bdi, box, button, facts, h, link, replace } from './dom.js';
import { history } from './history.js';
import { indent } from './json.js';
import { liveList, liveThing } from './list.js';
import { workflowText } from './names.js';
import { duration, fullTime, time } from './time.js';
import { acts, area, col, empty, longText, num, problemBox, section, tableOf } from './widgets.js';

const limit = (one) => (one.max_concurrent_runs ? `${one.max_concurrent_runs} at once` : "the team's");

export function view({ query, go }) {
	const list = liveList({
		path: '/workflows', query, go, idIn: 'workflow_id', births: ['workflow_created', 'workflow_deleted'],
			caption: 'Workflows, newest first', nothing: 'There is no workflow yet.',
		columns: [col('Workflow', (one) => link(`#/workflows/${one.id}`, bdi(one.name))),
			col('State', (one) => (one.paused ? h('span.warn', 'paused') : 'active')),
			num('Version', (one) => `${one.active_version} of ${one.latest_version}`), col('Limit', limit),
				num('Time-out', (one) => duration(one.run_timeout_seconds * 1000)),
			num('Tries', (one) => one.retry.max_attempts), num('Changed', (one) => time(one.updated_at)),
			may('write') && acts('Do', (one) => button('Run now', () => runNow(one.id),
				{ 'aria-label': `Run ${one.name} now` }))],
	});
	list.node.prepend(box('actions', may('write') && button('New workflow', () => createWorkflow(), { class: 'primary' }),
		link('#/triggers', 'Triggers'), link('#/webhooks', 'Completion webhooks')));
	return list;
}

const settings = (one) => facts([['Description', one.description && longText(one.description)], ['Active version', one.active_version],
	['Runs at once', limit(one)], ['Time-out of a run', duration(one.run_timeout_seconds * 1000)],
	['Tries', one.retry.max_attempts],
	['Waits between tries', one.retry.max_attempts > 1 && `${one.retry.initial_backoff_seconds} to ${one.retry.max_backoff_seconds} s`],
	['Made', fullTime(one.created_at)], ['Changed', fullTime(one.updated_at)], ['Id', h('code', one.id)]]);

/** Lines of two texts side by side, by the longest common run of lines. */
function sideBySide(a, b) {
	const [left, right] = [a.split('\n'), b.split('\n')];
	const table = Array.from({ length: left.length + 1 }, () => new Uint16Array(right.length + 1));
	for (let i = left.length - 1; i >= 0; i -= 1) {
		for (let j = right.length - 1; j >= 0; j -= 1) {
			table[i][j] = left[i] === right[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
		}
	}
	const rows = [];
	let [i, j] = [0, 0];
	while (i < left.length || j < right.length) {
		const [gone, came] = [[], []];
		while ((i < left.length || j < right.length) && !(i < left.length && j < right.length && left[i] === right[j])) {
			if (j >= right.length || (i < left.length && table[i + 1][j] >= table[i][j + 1])) gone.push(left[i++]);
			else came.push(right[j++]);
		}
		for (let k = 0; k < Math.max(gone.length, came.length); k += 1) rows.push([gone[k] ?? null, came[k] ?? null]);
		if (i < left.length && j < right.length) rows.push([left[i++], right[j++]]);
	}
	return rows;
}

/** More lines than this are compared by the server's list of changes alone. */
const COMPARED = 1500;

function diffPart(id, versions) {
	if (versions.length < 2) return null;
	const choose = (name, value) => h('select', { 'aria-label': name, onchange: () => load() },
		versions.map((one) => h('option', { value: String(one.version_number), selected: one.version_number === value }, versionText(one))));
	const [old, now] = [choose('Old version', versions[1].version_number), choose('New version', versions[0].version_number)];
	const shown = h('div');
	async function load() {
		try {
			const [a, b, diff] = await Promise.all([get(`/workflows/${id}/versions/${old.value}`), get(`/workflows/${id}/versions/${now.value}`),
				get(`/workflows/${id}/versions/${old.value}/diff/${now.value}`)]);
			const texts = [indent(a.definition.text), indent(b.definition.text)];
			const count = diff.changes.length;
			const rows = Math.max(...texts.map((text) => text.split('\n').length)) > COMPARED ? null : sideBySide(...texts);
			replace(shown, h('p', count === 0
				? 'The definitions are the same.' : `${count} ${count === 1 ? 'place differs' : 'places differ'}: `,
				diff.changes.slice(0, 50).map((one, index) => [index ? ', ' : '', h('code', one.path || 'the whole')])),
				rows && h('div.scroll', { tabindex: '0', role: 'group', 'aria-label': 'Both definitions' },
					h('table.diff', h('caption', `Version ${old.value} and version ${now.value}`),
					h('thead', h('tr', h('th', { scope: 'col' }, `Version ${old.value}`),
						h('th', { scope: 'col' }, `Version ${now.value}`))),
					h('tbody', rows.map(([was, is]) => h('tr', h('td', { class: was !== is && was !== null ? 'gone' : '' },
						was !== is && was !== null && h('span.sign', '−'), was ?? ''),
						h('td', { class: was !== is && is !== null ? 'new' : '' }, was !== is && is !== null && h('span.sign', '+'),
						is ?? '')))))));
		} catch (error) { replace(shown, problemBox(error, load)); }
	}
	load();
	return [h('h3', 'Compare'), box('row', old, ' with ', now), shown];
}

function showVersions(id, versions) {
	return [may('write') && box('actions', button('Edit the draft', () => editDraft(id)),
		button('Save the draft as a version', () => saveVersion(id))),
		tableOf(versions, {
			caption: 'Versions, newest first; 0 is the draft',
			columns: [num('Number', (one) => one.version_number), col('Name', (one) => (one.version_name ? bdi(one.version_name) : '–')),
				col('State', (one) => (one.is_active ? h('strong.good', '● active') : '–')),
				num('Made', (one) => time(one.created_at)), col('Does',
					(one) => h('code', JSON.parse(one.definition.text).executor?.type ?? '–')),
				may('write') && acts('Change', (one) => !one.is_active && button('Activate', () => activate(id, one),
					{ 'aria-label': `Activate version ${one.version_number}` }))],
		}), diffPart(id, versions)];
}

export function one({ id }) {
	const versions = area((signal) => everything(`/workflows/${id}/versions`, signal), (items) => showVersions(id, items));
	const triggers = area((signal) => everything('/workflow-triggers', signal), (items) => {
		const own = items.filter((trigger) => trigger.workflow_id === id);
		return own.length ? h('ul.plain-list',
			own.map((trigger) => h('li', link(`#/triggers/${trigger.id}`, bdi(trigger.name)),
			` (${trigger.kind}${trigger.enabled ? '' : ', disabled'})`))) : empty('No trigger starts it.');
	});
	const past = history(`/workflows/${id}`);
	let seen = false;
	const thing = liveThing({
		id, idIn: 'workflow_id',
		load: (signal) => get(`/workflows/${id}`, {}, signal),
		show: (workflow) => {
			if (seen && seen !== workflow.revision) { versions.reload(); past.reload(); }
			seen = workflow.revision;
			return [may('write') && box('actions', button('Run now', () => runNow(id), { class: 'primary' }),
				button('New schedule', () => createSchedule(id)), button('Settings', () => editWorkflow(id)),
				button('Concurrency', () => limitWorkflow(id)), button(workflow.paused ? 'Resume' : 'Pause', () => pauseWorkflow(id))),
			workflow.paused && h('p.warn', 'It is paused: its runs wait.'),
			h('p', link(`#/runs?workflow_id=${id}`, 'Its runs'), ' · ', link(`#/schedules?workflow_id=${id}`, 'its schedules'), ' · ',
				link(`#/webhooks?workflow_id=${id}`, 'its deliveries')), section('Settings', settings(workflow))];
		},
	});
	return { title: bdi(workflowText(id)), node: box('view', thing.node, section('Versions', versions), section('Triggers', triggers),
		section('History', past)), end: thing.end };
}

"""##,
"widgets.js": ##"""
/** The parts that views are made of. */

import { bdi, box, button, h, newID, quiet, replace, words } from './dom.js';
import { indent } from './json.js';
import { fieldValue, isUntouched, readField } from './time.js';

const live = () => document.getElementById('said');

export function say(text) {
	const note = h('p.note', text);
	live().append(note);
	setTimeout(() => note.remove(), 6000);
}

/** What is wrong, with the code that programs know it by. */
export function problemBox(error, retry) {
	const code = error.code ?? 'page';
	return h('div.problem', { role: 'alert' },
		h('p', h('strong', error.body?.title ?? 'That did not work'), ': ', bdi(error.message), ' ',
			h('code', code), error.status === 429 || error.status === 503 ? ' It may work in a moment.' : null),
		error.body?.request_id && h('p.quiet.small', 'Request ', h('code', error.body.request_id)),
		retry && button('Try again', retry));
}

/**
 * A part of a view that is loaded: says that it loads, what went wrong, and shows what came.
 * @param load gets an `AbortSignal`; what it gives goes to `show`, which returns nodes.
 */
export function area(load, show, attributes) {
	const node = h('div.area', { ...attributes });
	let aborter = null;
	let has = false;
	async function reload() {
		aborter?.abort();
		const mine = new AbortController();
		aborter = mine;
		if (!has) replace(node, h('p.quiet.loading', 'Loading…'));
		try {
			const loaded = await load(mine.signal);
			if (mine.signal.aborted) return;
			const focused = node.contains(document.activeElement) ? labelOf(document.activeElement) : null;
			const isUnfolded = node.querySelector('details[open]') !== null;
			replace(node, show(loaded));
			has = true;
			for (const one of node.querySelectorAll('details')) one.open = isUnfolded;
			if (focused) [...node.querySelectorAll('a[href], button')].find((one) => labelOf(one) === focused)?.focus();
		} catch (error) {
			if (error.name === 'AbortError' || mine.signal.aborted) return;
			has = false;
			replace(node, problemBox(error, reload));
			if (!('code' in error)) console.error(error);
		}
	}
	node.reload = reload;
	reload();
	return node;
}

const labelOf = (control) => control.getAttribute('aria-label') ?? control.textContent;

export const empty = (text, ...more) => h('div.empty', h('p', text), ...more);

export function section(title, ...content) {
	const id = newID('section');
	return h('section', { 'aria-labelledby': id, class: 'card' }, h('h2', { id }, title), content);
}

/**
 * A table whose rows can be put in one by one. On narrow screens each row becomes a card.
 * @param columns `{title, cell(item), class}`
 */
export function table({ caption, columns: all, key = (item) => item.id }) {
	const columns = all.filter(Boolean);
	const body = h('tbody', { role: 'rowgroup' });
	const node = h('table', { role: 'table' }, h('caption', caption),
		h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, columns.map((column) => h('th', {
			role: 'columnheader', scope: 'col', class: column.class }, column.title)))), body);
	const rows = new Map();

	const make = (item) => h('tr', { role: 'row' }, columns.map((column) => h('td', {
		role: 'cell', class: column.class, 'data-label': column.title }, column.cell(item))));

	function patch(item) {
		const old = rows.get(key(item));
		if (!old) return;
		const row = make(item);
		const focusable = 'a[href], button';
		const index = [...old.querySelectorAll(focusable)].indexOf(document.activeElement);
		old.replaceWith(row);
		rows.set(key(item), row);
		if (index >= 0) row.querySelectorAll(focusable)[index]?.focus();
	}

	function set(items) {
		rows.clear();
		for (const item of items) rows.set(key(item), make(item));
		body.replaceChildren(...rows.values());
	}

	return { node, set, patch, has: (id) => rows.has(id), ids: () => [...rows.keys()] };
}

export const col = (title, cell, name) => ({ title, cell, class: name });

export const num = (title, cell) => col(title, cell, 'number');

export const acts = (title, cell) => col(title, cell, 'acts');

export const choices = (...names) => names.map((name) => [name, words(name)]);

export function tableOf(items, options) {
	const made = table({ key: (item) => item, ...options });
	made.set(items);
	return made.node;
}

const MARKS = {
	pending: '○', queued: '◔', retrying: '◔', in_progress: '◑', completed: '●', delivered: '●', failed: '✕', cancelled: '⊘',
};

export const status = (name) => h('span', { class: `status ${name}` },
	h('span', { 'aria-hidden': 'true' }, `${MARKS[name] ?? '·'} `), words(name));

const SHOWN = 4000;

/** A payload as it was sent, laid out in lines; the rest of a long one at a click. */
export function payload(raw, label) {
	if (raw === null || raw === undefined) return quiet(h('code', 'null'));
	const text = String(raw);
	const lines = indent(text);
	const pre = h('pre', { tabindex: '0', role: 'group', 'aria-label': label, dir: 'auto' }, lines.slice(0, SHOWN));
	const size = `${text.length.toLocaleString('en')} characters`;
	const all = lines.length > SHOWN && button(`Show all of it (${size})`, () => { pre.textContent = lines; all.remove(); });
	const copy = button('Copy as sent', async () => {
		try {
			await navigator.clipboard.writeText(text);
			say(`${label}: copied.`);
		} catch {
			say('The browser does not let the page copy.');
		}
	}, { class: 'plain' });
	return h('div.payload', pre, box('actions', all, copy));
}

export function longText(text, most = 300) {
	if (text.length <= most) return bdi(text);
	const shown = bdi(`${text.slice(0, most)}…`);
	const all = button(`Show all ${text.length.toLocaleString('en')} characters`, () => { shown.textContent = text; all.remove(); },
		{ class: 'plain' });
	return h('span', shown, ' ', all);
}

/** Pages by cursor; the browser's way back leads to the page before. */
export const pager = (hasCursor, next, go) => h('nav.pager', { 'aria-label': 'Pages of the list' },
	hasCursor && button('First page', () => go(null)),
	next ? button('Next page', () => go(next)) : h('span.quiet', 'End of the list'));

/** A form of filters; times are entered where the reader is (`type: 'datetime-local'`). */
export function filters(fields, query, go) {
	const form = h('form.filters', { role: 'search', 'aria-label': 'Filter',
		onsubmit: (event) => { event.preventDefault(); apply(); } },
		fields.map(({ name, label, options, isFixed, type }) => {
			const id = newID('filter');
			const control = options
				? h('select', { id, name,  }, !isFixed && h('option', { value: '' }, 'all'),
					options.map(([value, text]) => h('option', { value }, text)))
				: h('input', { id, name, type: type ?? 'text', step: type && '1', autocomplete: 'off', spellcheck: 'false' });
			control.value = type && query[name] ? fieldValue(query[name]) : query[name] ?? (isFixed ? options[0][0] : '');
			return h('div.field', h('label', { for: id }, label), control);
		}),
		h('button', { type: 'submit' }, 'Filter'),
		Object.keys(query).length > 0 && button('Clear', () => go({}), { class: 'plain' }));
	function apply() {
		const given = Object.fromEntries(new FormData(form));
		for (const { name } of fields.filter((field) => field.type)) {
			given[name] = isUntouched(given[name], query[name]) ? query[name] : readField(given[name])?.instant;
		}
		go(given);
	}
	return form;
}

"""##,
]
}
