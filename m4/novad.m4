# SPDX-License-Identifier: Apache-2.0
# Flag probes. Each flag is compiled and linked before it is used: a flag can pass the preprocessor and fail in use.

# NOVAD_TRY_FLAG(VARIABLE, FLAG): appends FLAG to VARIABLE if a program compiles and links with it.
AC_DEFUN([NOVAD_TRY_FLAG], [
  AS_VAR_PUSHDEF([cv], [novad_cv_flag_$2])
  AC_CACHE_CHECK([whether $CC takes $2], [cv], [
    novad_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $2"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]], [[char b[8]; memset(b, 0, sizeof b); return b[0];]])],
      [AS_VAR_SET([cv], [yes])], [AS_VAR_SET([cv], [no])])
    CFLAGS=$novad_save_CFLAGS])
  AS_VAR_IF([cv], [yes], [AS_VAR_APPEND([$1], [" $2"])])
  AS_VAR_POPDEF([cv])
])

AC_DEFUN([NOVAD_STD_FLAGS], [
  NOVAD_TRY_FLAG([STD_CFLAGS], [-std=gnu17])
  AC_SUBST([STD_CFLAGS])
])

AC_DEFUN([NOVAD_WARNINGS], [
  AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--disable-werror], [do not turn warnings into errors (for packagers)])],
    [], [enable_werror=auto])
  # A git checkout is a developer's tree; a release tarball is a packager's.
  AS_IF([test "x$enable_werror" = xauto],
    [AS_IF([test -e "$srcdir/.git"], [enable_werror=yes], [enable_werror=no])])
  m4_foreach_w([flag], [-Wall -Wextra -Wformat=2 -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
      -Wpointer-arith -Wundef -Wvla -Wwrite-strings -Wlogical-op -Wduplicated-cond -Wduplicated-branches
      -Wimplicit-fallthrough -Wnull-dereference -Wno-unused-parameter -Wno-missing-field-initializers
      -Werror=implicit-function-declaration -Werror=incompatible-pointer-types -Werror=int-conversion
      -Werror=return-type -Werror=format-security -Werror=incompatible-pointer-types],
    [NOVAD_TRY_FLAG([WARN_CFLAGS], flag)])
  AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
  AC_SUBST([WARN_CFLAGS])
])

AC_DEFUN([NOVAD_HARDENING], [
  m4_foreach_w([flag], [-fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE],
    [NOVAD_TRY_FLAG([HARDEN_CFLAGS], flag)])
  m4_foreach_w([flag], [-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed],
    [NOVAD_TRY_FLAG([HARDEN_LDFLAGS], flag)])
  AC_SUBST([HARDEN_CFLAGS])
  AC_SUBST([HARDEN_LDFLAGS])
])

# NOVAD_SANITIZER(NAME, FLAG): --enable-NAME; stops when the flag does not link.
AC_DEFUN([NOVAD_SANITIZER], [
  AC_ARG_ENABLE([$1], [AS_HELP_STRING([--enable-$1], [build with $2])], [], [enable_$1=no])
  AS_IF([test "x$enable_$1" = xyes], [
    novad_before=$SANITIZER_CFLAGS
    NOVAD_TRY_FLAG([SANITIZER_CFLAGS], [$2])
    AS_IF([test "x$novad_before" = "x$SANITIZER_CFLAGS"], [AC_MSG_ERROR([--enable-$1: $CC does not link with $2])])
  ])
])

AC_DEFUN([NOVAD_SANITIZERS], [
  NOVAD_SANITIZER([asan], [-fsanitize=address])
  NOVAD_SANITIZER([ubsan], [-fsanitize=undefined])
  NOVAD_SANITIZER([tsan], [-fsanitize=thread])
  AS_IF([test "x$enable_asan" = xyes && test "x$enable_tsan" = xyes], [AC_MSG_ERROR([asan and tsan exclude each other])])
  NOVAD_SANITIZER([coverage], [--coverage])
  NOVAD_SANITIZER([fuzzing], [-fsanitize=fuzzer-no-link])
  AM_CONDITIONAL([ENABLE_FUZZING], [test "x$enable_fuzzing" = xyes])
  AS_IF([test -n "$SANITIZER_CFLAGS"],
    [AS_IF([test "x$enable_coverage" = xyes], [SANITIZER_CFLAGS="$SANITIZER_CFLAGS -O0 -g"],
           [SANITIZER_CFLAGS="$SANITIZER_CFLAGS -O1 -g -fno-omit-frame-pointer"])],
    [FORTIFY_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])
  AC_SUBST([SANITIZER_CFLAGS])
  AC_SUBST([FORTIFY_CPPFLAGS])
])
