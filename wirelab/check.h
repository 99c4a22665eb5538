/* SPDX-License-Identifier: MIT
 *
 * check: runs experiments that are written down, each scene in a fresh lab,
 * and says as TAP (testanything.org) whether what had to happen happened. Of
 * a scene that fails the picture is shown, with what was expected beside what
 * was seen.
 * Read next: labfile.h, what can be written; trial.h, how one is run.
 */
#ifndef WIRELAB_CHECK_H
#define WIRELAB_CHECK_H

/* wirelab check [OPTION]... FILE.lab...; argv[0] is "check". Returns what
 * wirelab is to end with: 0 if all scenes came out as expected, STATUS_EXPECT
 * if one did not, STATUS_USAGE if a file cannot be understood (then nothing is
 * run), STATUS_SKIP if no scene could run here; or as reader_end has it. */
int check_main(int argc, char **argv);

#endif
