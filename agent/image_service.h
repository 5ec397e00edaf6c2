/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/agent.h"
#include "objects/image_meta.h"
#include "rest/glance.h"
#include "rpc/context.h"

/*
 * Glance as nova's image API sees it (upstream nova/image/glance.py): calls are made in the user's name, failures are nova's exceptions: ImageNotFound,
 * ImageNotAuthorized, ImageBadRequest, ImageQuotaExceeded, ImageDeleteConflict, GlanceConnectionFailed; else REST_ERROR.
 */
/* Names a REST_ERROR that came from Glance so. Takes failure. Always false. */
bool image_service_name_failure(const char *image_id, GError *failure, GError **error);
GlanceImage *image_service_show(Agent *agent, const RpcContext *context, const char *image_id, GError **error);
/* What nova makes of an image. */
NovaImageMeta *image_service_meta(Agent *agent, const RpcContext *context, const char *image_id, GError **error);
bool image_service_update(Agent *agent, const RpcContext *context, const char *image_id, NdJson *members, GError **error);
/* The file as the image's data; cancellable may be NULL. */
bool image_service_upload(Agent *agent, const RpcContext *context, const char *image_id, const char *path, GCancellable *cancellable, GError **error);
bool image_service_delete(Agent *agent, const RpcContext *context, const char *image_id, GError **error);
/* The same for an image that was not completed: what goes wrong is logged, and an image that is gone is fine. */
void image_service_discard(Agent *agent, const RpcContext *context, const char *image_id);
/* The same unless the image has become active. */
void image_service_discard_unless_active(Agent *agent, const RpcContext *context, const char *image_id);

/* One image's way into the cache: image_service_download is a VirtImageDownload whose user data this is. All borrowed; cancellable may be NULL. */
typedef struct {
    Agent *agent;
    const RpcContext *context;
    const char *image_id;
    GCancellable *cancellable;
    bool begun; /* it was called: the image was not in the cache */
} ImageDownload;
/* Writes the image to the new file `path`. ImageNotFound, ImageNotAuthorized, ImageNotActive, ImageUnacceptable (hash, size, no data); else REST_ERROR. */
bool image_service_download(const char *path, gpointer image_download, GError **error);
