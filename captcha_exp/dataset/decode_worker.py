"""The child process that decodes chunks of images: a job and chunks in on standard input, outcomes out."""

import os
import pickle
import signal
import sys
import warnings

from captcha_exp.dataset.decode_images import Job, decode_chunk


def main() -> None:
    """Answer every chunk until standard input ends; an exception is an answer too."""
    # Ctrl-C reaches the whole process group; the parent handles it and ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Pillow warns of damage in files that are going to be named in the report anyway.
    warnings.filterwarnings("ignore", module="PIL")
    # Whatever prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    job: Job = pickle.load(sys.stdin.buffer)
    output = os.open(job.output, os.O_RDWR)
    while True:
        try:
            first, locators = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer: object = decode_chunk(job, output, first, locators)
        except Exception as error:  # told to the parent, which raises it
            answer = error
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    main()
