/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/startup.h"
#include "base/config_cli.h"
#include "base/log.h"
#include "base/log_setup.h"

#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOGGER "nova.service"

/*
 * The main thread runs the GLib main context: libvirt's events, timers, signals. Starting and stopping block, so each has a thread.
 * Everything of Main is used on the main thread only, but for what a finished thread left behind.
 */
typedef struct {
    Agent *agent;
    GMainLoop *loop;
    GThread *starter, *stopper;
    int status;      /* of the process */
    bool stopping;   /* a stop was asked for */
    bool all_ended;  /* result of agent_stop */
    GError *failure; /* of agent_start */
} Main;

static gboolean on_stopped(gpointer data)
{
    Main *self = data;

    g_main_loop_quit(self->loop);
    return G_SOURCE_REMOVE;
}

static gpointer stop_thread(gpointer data)
{
    Main *self = data;

    self->all_ended = agent_stop(self->agent);
    g_idle_add(on_stopped, self);
    return NULL;
}

static void begin_stop(Main *self)
{
    if (self->stopping)
        return;
    self->stopping = true;
    self->stopper = g_thread_new("stop", stop_thread, self);
}

static gboolean on_started(gpointer data)
{
    Main *self = data;

    if (self->failure == NULL)
        return G_SOURCE_REMOVE;
    if (!self->stopping) {
        nd_critical(LOGGER, "Cannot start: %s", self->failure->message);
        self->status = EXIT_FAILURE;
        begin_stop(self);
    }
    return G_SOURCE_REMOVE;
}

static gpointer start_thread(gpointer data)
{
    Main *self = data;

    agent_start(self->agent, &self->failure);
    g_idle_add(on_started, self);
    return NULL;
}

static gboolean on_term(gpointer data)
{
    Main *self = data;

    if (self->stopping) { /* as oslo.service: the second one is meant */
        nd_warning(LOGGER, "Told to stop again: ending at once");
        _exit(EXIT_FAILURE);
    }
    nd_info(LOGGER, "Told to stop");
    begin_stop(self);
    return G_SOURCE_CONTINUE;
}

static gboolean on_hup(gpointer data)
{
    Main *self = data;

    agent_reload(self->agent);
    return G_SOURCE_CONTINUE;
}

static int run(NdConfig *config)
{
    g_autoptr(GError) error = NULL;
    Main self = {.loop = g_main_loop_new(NULL, FALSE)};

    self.agent = agent_new(config, &error);
    if (self.agent == NULL) {
        nd_critical(LOGGER, "Cannot start: %s", error->message);
        g_main_loop_unref(self.loop);
        return EXIT_FAILURE;
    }
    g_unix_signal_add(SIGTERM, on_term, &self);
    g_unix_signal_add(SIGINT, on_term, &self);
    g_unix_signal_add(SIGHUP, on_hup, &self);
    self.starter = g_thread_new("start", start_thread, &self);
    g_main_loop_run(self.loop);
    g_thread_join(self.stopper);
    g_thread_join(self.starter); /* its calls have failed since the bus was stopped */
    g_clear_error(&self.failure);
    g_main_loop_unref(self.loop);
    nd_info(LOGGER, "Stopped");
    if (!self.all_ended) { /* a thread hangs in a call to the outside: leave it behind */
        nd_log_close();
        _exit(self.status);
    }
    agent_free(self.agent);
    return self.status;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    NdConfig *config = NULL;
    int status = EXIT_SUCCESS;

    setlocale(LC_CTYPE, "C.UTF-8");
    g_set_prgname("nova-compute"); /* how the broker lists our connections, as it lists Python's */
    signal(SIGPIPE, SIG_IGN);
    if (nd_config_cli(argc, argv, &config, &status) == ND_CLI_EXIT)
        return status;
    if (!nd_log_configure(config, "nova-compute", &error)) {
        fprintf(stderr, "novad: %s\n", error->message);
        nd_config_free(config);
        return EXIT_FAILURE;
    }
    status = run(config);
    nd_log_close();
    return status;
}
