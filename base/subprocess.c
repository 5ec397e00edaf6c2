/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/subprocess.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_LIMIT_DEFAULT (1024 * 1024)
/* How much of stderr's end goes into an error's text. */
#define STDERR_TAIL 400

/* One of the child's outputs while it is read. */
typedef struct {
    int fd; /* -1 at its end */
    GString *text;
    size_t limit;
    bool truncated;
} Output;

/* A running child and our ends of its pipes. */
typedef struct {
    const NdSubprocess *process;
    const char *name; /* for messages */
    pid_t pid;
    int pidfd;        /* readable once the child has ended */
    GThread *watcher; /* makes `pidfd` so where the kernel (before Linux 5.3) has no pidfd_open */
    int input; /* -1 once everything is written */
    size_t written;
    Output out, err;
} Child;

/* What the child needs between fork and exec, made before: nothing may be allocated there. */
typedef struct {
    char *path;
    char **env;
    int stdio[3];
    int status_pipe; /* gets errno if exec fails */
} Launch;

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Soft and hard limit; 0 sets none. Only async-signal-safe calls from here to run_child. */
static bool set_limit(int kind, rlim_t value)
{
    struct rlimit limit = {value, value};
    return value == 0 || setrlimit(kind, &limit) == 0;
}

static bool prepare_child(const NdSubprocess *process, const Launch *launch)
{
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL); /* fails for KILL, STOP and glibc's own, as it should */
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    /* The thread that forked waits for us, so this means: when novad dies. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!process->privileged)
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (int i = 0; i < 3; i++)
        if (dup2(launch->stdio[i], i) < 0)
            return false;
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC); /* ours are so already; this is for descriptors of libraries */
    if (process->directory != NULL && chdir(process->directory) != 0)
        return false;
    return set_limit(RLIMIT_AS, process->address_space_limit) && set_limit(RLIMIT_CPU, process->cpu_time_limit_s);
}

G_NORETURN static void run_child(const NdSubprocess *process, const Launch *launch)
{
    if (prepare_child(process, launch))
        execve(launch->path, (char *const *)process->argv, launch->env);
    int errnum = errno;
    ssize_t ignored G_GNUC_UNUSED = write(launch->status_pipe, &errnum, sizeof(errnum));
    _exit(127);
}

static char **make_environment(const NdSubprocess *process)
{
    char **env = g_environ_setenv(g_get_environ(), "LC_ALL", "C", true);
    for (size_t i = 0; process->env != NULL && process->env[i] != NULL; i++) {
        g_auto(GStrv) pair = g_strsplit(process->env[i], "=", 2);
        if (pair[0] != NULL && pair[1] != NULL)
            env = g_environ_setenv(env, pair[0], pair[1], true);
    }
    return env;
}

typedef struct {
    pid_t pid;
    int fd;
} Watch;

static gpointer watch_thread(gpointer data)
{
    g_autofree Watch *watch = data;
    siginfo_t info;
    while (waitid(P_PID, (id_t)watch->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        continue;
    close(watch->fd);
    return NULL;
}

/* Sets child->pidfd; 0 or an errno. */
static int watch_end(Child *child, pid_t pid)
{
    child->pidfd = pidfd_open(pid, 0);
    if (child->pidfd >= 0)
        return 0;
    int ends[2];
    if (errno != ENOSYS || pipe2(ends, O_CLOEXEC) < 0)
        return errno;
    child->pidfd = ends[0];
    Watch *watch = g_new(Watch, 1);
    *watch = (Watch){pid, ends[1]};
    child->watcher = g_thread_new("subprocess", watch_thread, watch);
    return 0;
}

/* Forks; our ends go into `child`. The launch pipe closes at exec, so reading its end means that the program runs. */
static bool fork_child(Child *child, Launch *launch, int ours[3], int status_fd, GError **error)
{
    pid_t pid = fork();
    if (pid == 0)
        run_child(child->process, launch);
    if (pid < 0)
        return nd_error_set_errno(error, errno, "start '%s'", child->name);
    setpgid(pid, pid);
    close_fd(&launch->status_pipe);

    int errnum = 0;
    ssize_t n;
    do
        n = read(status_fd, &errnum, sizeof(errnum));
    while (n < 0 && errno == EINTR);
    if (n == sizeof(errnum)) {
        waitpid(pid, NULL, 0);
        return nd_error_set_errno(error, errnum, "start '%s'", child->name);
    }
    errnum = watch_end(child, pid);
    if (errnum != 0) {
        kill(-pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return nd_error_set_errno(error, errnum, "watch '%s'", child->name);
    }
    child->pid = pid;
    child->input = g_steal_fd(&ours[0]);
    child->out.fd = g_steal_fd(&ours[1]);
    child->err.fd = g_steal_fd(&ours[2]);
    return true;
}

/* Makes the four pipes. theirs[0] is /dev/null if there is no input. */
static bool make_pipes(const NdSubprocess *process, int ours[3], int theirs[3], int status[2], GError **error)
{
    int pair[2];
    for (int i = 0; i < 3; i++) {
        if (i == 0 && process->input == NULL) {
            theirs[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
            if (theirs[0] < 0)
                return nd_error_set_errno(error, errno, "open '/dev/null'");
            continue;
        }
        if (pipe2(pair, O_CLOEXEC) != 0)
            return nd_error_set_errno(error, errno, "make a pipe");
        ours[i] = pair[i == 0 ? 1 : 0];
        theirs[i] = pair[i == 0 ? 0 : 1];
        g_unix_set_fd_nonblocking(ours[i], true, NULL);
    }
    return pipe2(status, O_CLOEXEC) == 0 || nd_error_set_errno(error, errno, "make a pipe");
}

static bool start(Child *child, GError **error)
{
    const NdSubprocess *process = child->process;
    g_autofree char *path = g_find_program_in_path(process->argv[0]);
    if (path == NULL) {
        g_set_error(error, ND_ERROR, ND_ERROR_NOT_FOUND, "no program '%s'", process->argv[0]);
        return false;
    }
    int ours[3] = {-1, -1, -1}, theirs[3] = {-1, -1, -1}, status[2] = {-1, -1};
    bool ok = make_pipes(process, ours, theirs, status, error);
    if (ok) {
        g_auto(GStrv) env = make_environment(process);
        Launch launch = {.path = path, .env = env, .stdio = {theirs[0], theirs[1], theirs[2]}, .status_pipe = status[1]};
        ok = fork_child(child, &launch, ours, status[0], error);
        status[1] = launch.status_pipe;
    }
    for (int i = 0; i < 3; i++) {
        close_fd(&ours[i]);
        close_fd(&theirs[i]);
    }
    close_fd(&status[0]);
    close_fd(&status[1]);
    return ok;
}

/* Reads what is there; sets fd to -1 at the end. At most 16 buffers (more than a pipe holds) a call, so that a program that never stops
 * writing does not keep us from looking at the clock. */
static void read_output(Output *output)
{
    char buffer[16384];
    for (int i = 0; i < 16 && output->fd >= 0; i++) {
        ssize_t n = read(output->fd, buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            close_fd(&output->fd);
            return;
        }
        size_t room = output->limit - output->text->len;
        output->truncated = output->truncated || (size_t)n > room;
        g_string_append_len(output->text, buffer, (gssize)MIN((size_t)n, room));
    }
}

/* Writes to a pipe without SIGPIPE, whatever the process does about that signal. */
static ssize_t write_quietly(int fd, const void *data, size_t length)
{
    sigset_t pipe_set, old, pending;
    sigemptyset(&pipe_set);
    sigaddset(&pipe_set, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
    ssize_t n = write(fd, data, length);
    int errnum = errno;
    if (n < 0 && errnum == EPIPE && !was_pending)
        sigtimedwait(&pipe_set, NULL, &(struct timespec){0});
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = errnum;
    return n;
}

static void write_input(Child *child)
{
    const char *data = child->process->input;
    while (child->written < child->process->input_length) {
        ssize_t n = write_quietly(child->input, data + child->written, child->process->input_length - child->written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            break; /* it does not want more; its exit status will tell whether that is right */
        child->written += (size_t)n;
    }
    close_fd(&child->input);
}

/* Serves the pipes until the program ends: NULL, or why it has to be killed. */
static const char *serve(Child *child, NdError *code)
{
    const NdSubprocess *process = child->process;
    gint64 deadline = process->timeout_s ? g_get_monotonic_time() + process->timeout_s * G_USEC_PER_SEC : G_MAXINT64;
    GPollFD cancel = {.fd = -1};
    bool watch_cancel = g_cancellable_make_pollfd(process->cancellable, &cancel);
    const char *stop = NULL;
    bool ended = false;

    while (!ended && stop == NULL) {
        GPollFD fds[] = {
            {child->pidfd, G_IO_IN, 0},  {child->out.fd, G_IO_IN, 0}, {child->err.fd, G_IO_IN, 0},
            {child->input, G_IO_OUT, 0}, {cancel.fd, G_IO_IN, 0},
        };
        gint64 left = deadline - g_get_monotonic_time();
        int wait_ms = deadline == G_MAXINT64 ? -1 : (int)CLAMP(left / 1000 + 1, 0, G_MAXINT);
        g_poll(fds, G_N_ELEMENTS(fds), wait_ms);
        if (child->input >= 0 && fds[3].revents)
            write_input(child);
        read_output(&child->out);
        read_output(&child->err);
        ended = fds[0].revents != 0;
        if (!ended && g_cancellable_is_cancelled(process->cancellable)) {
            stop = "cancelled";
            *code = ND_ERROR_CANCELLED;
        } else if (!ended && g_get_monotonic_time() >= deadline) {
            stop = "out of time";
            *code = ND_ERROR_TIMEOUT;
        }
    }
    if (watch_cancel)
        g_cancellable_release_fd(process->cancellable);
    return stop;
}

/* The last bytes of stderr as one line, for an error's text. */
static char *stderr_tail(const Child *child)
{
    const GString *text = child->err.text;
    size_t skip = text->len > STDERR_TAIL ? text->len - STDERR_TAIL : 0;
    g_autofree char *tail = g_utf8_make_valid(text->str + skip, (gssize)(text->len - skip));
    for (char *c = tail; *c; c++)
        if (g_ascii_iscntrl(*c))
            *c = ' ';
    return g_strdup(g_strstrip(tail));
}

static bool check_status(const Child *child, int status, GError **error)
{
    if (child->process->any_status || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return true;
    g_autofree char *tail = stderr_tail(child);
    g_autofree char *how = WIFSIGNALED(status)
                               ? g_strdup_printf("was ended by signal %d (%s)", WTERMSIG(status), g_strsignal(WTERMSIG(status)))
                               : g_strdup_printf("ended with status %d", WEXITSTATUS(status));
    g_set_error(error, ND_ERROR, ND_ERROR_EXIT_STATUS, "'%s' %s%s%s", child->name, how, *tail ? ": " : "", tail);
    return false;
}

/* Waits for the end, or makes it. */
static bool finish(Child *child, int *status, GError **error)
{
    NdError code = ND_ERROR_FAILED;
    const char *stop = serve(child, &code);
    if (stop != NULL)
        kill(-child->pid, SIGKILL);
    if (child->watcher != NULL)
        g_thread_join(g_steal_pointer(&child->watcher));
    pid_t waited;
    do
        waited = waitpid(child->pid, status, 0);
    while (waited < 0 && errno == EINTR);
    /* What the program wrote last; a descendant that keeps the pipe open is not waited for. */
    read_output(&child->out);
    read_output(&child->err);
    if (stop != NULL) {
        g_set_error(error, ND_ERROR, code, "'%s' was killed: %s", child->name, stop);
        return false;
    }
    if (waited < 0)
        return nd_error_set_errno(error, errno, "wait for '%s'", child->name);
    return check_status(child, *status, error);
}

static NdSubprocessResult *make_result(Child *child, int status)
{
    NdSubprocessResult *result = g_new0(NdSubprocessResult, 1);
    result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    result->truncated = child->out.truncated || child->err.truncated;
    result->out_length = child->out.text->len;
    result->out = g_string_free(g_steal_pointer(&child->out.text), false);
    result->err_length = child->err.text->len;
    result->err = g_string_free(g_steal_pointer(&child->err.text), false);
    return result;
}

static void child_clear(Child *child)
{
    close_fd(&child->input);
    close_fd(&child->out.fd);
    close_fd(&child->err.fd);
    close_fd(&child->pidfd);
    if (child->out.text != NULL)
        g_string_free(child->out.text, true);
    if (child->err.text != NULL)
        g_string_free(child->err.text, true);
}

bool nd_subprocess_run(const NdSubprocess *process, NdSubprocessResult **result, GError **error)
{
    size_t limit = process->output_limit ? process->output_limit : OUTPUT_LIMIT_DEFAULT;
    const char *slash = strrchr(process->argv[0], '/');
    Child child = {
        .process = process,
        .name = slash != NULL ? slash + 1 : process->argv[0],
        .pidfd = -1,
        .input = -1,
        .out = {.fd = -1, .text = g_string_new(NULL), .limit = limit},
        .err = {.fd = -1, .text = g_string_new(NULL), .limit = limit},
    };
    int status = 0;
    bool ok = start(&child, error) && finish(&child, &status, error);
    if (ok && result != NULL)
        *result = make_result(&child, status);
    child_clear(&child);
    return ok;
}

void nd_subprocess_result_free(NdSubprocessResult *result)
{
    if (result == NULL)
        return;
    g_free(result->out);
    g_free(result->err);
    g_free(result);
}

bool nd_subprocess_output(const char *const *argv, guint timeout_s, char **output, GError **error)
{
    g_autoptr(NdSubprocessResult) result = NULL;
    NdSubprocess process = {.argv = argv, .timeout_s = timeout_s};
    if (!nd_subprocess_run(&process, &result, error))
        return false;
    if (output != NULL)
        *output = g_steal_pointer(&result->out);
    return true;
}
