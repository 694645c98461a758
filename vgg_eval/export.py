"""A judge's run -> a file or folder that classifies pictures where this project is not installed.

    python -m vgg_eval.export RUN --format onnx -o judge.onnx

uint8 gray or RGB pictures of any size (LiteRT: one, of the size given) to probabilities, in the order of the
classes in the run's data.json.
"""

import argparse
import sys
from pathlib import Path

from colorization.runs import resolve
from colorization.cli.console import run_command, size, start_keras


def main(argv=None):
    """Parse and export; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", metavar="RUN", help="a judge's run folder, or a preset's name")
    parser.add_argument("--format", required=True, choices=("savedmodel", "onnx", "litert", "keras"))
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="PATH")
    parser.add_argument("--size", type=size, metavar="HEIGHTxWIDTH", help="take pictures of this size only")
    return run_command(_export, parser.parse_args(argv))


def _export(arguments):
    start_keras()
    export(resolve.run_folder(arguments.run), arguments.format, arguments.output, size=arguments.size)
    print(arguments.output)


def export(run_dir, format, path, *, size=None):
    """Write a judge's run in another format, whole or not at all.

    Args:
        run_dir: the run folder.
        format: one of colorization.export.FORMATS. keras holds the network alone: enlarged RGB to logits.
        path: of the new file, or of the new folder for savedmodel.
        size: (height, width) of the pictures; None: any, which LiteRT cannot.

    Raises:
        InputError: the run is not usable, the format cannot do what is asked, or it cannot be written.
    """
    from colorization.export import writers as formats
    from colorization.core.atomic_io import replacing

    from vgg_eval import model

    path = Path(path)
    formats.refuse_existing(path)
    formats.check(format, path, size)
    settings, judge, _ = model.load(run_dir)
    if format == "keras":
        with replacing(path) as temporary:
            judge.save(temporary)
        return
    module = _module(judge, settings.vgg_size, size)
    formats.write(module, {"serving_default": module.classify}, format, path)


def _module(judge, vgg_size, size):
    import tensorflow as tf
    from keras import ops

    from colorization.export import writers as formats

    from vgg_eval import model

    class Exported(tf.Module):
        def __init__(self):
            super().__init__()
            self.judge = judge

        @tf.function(input_signature=[formats.image_spec(size)])
        def classify(self, image):
            enlarged = model.enlarged(formats.as_rgb(image), vgg_size)
            return {"probabilities": ops.softmax(self.judge(enlarged, training=False))}

    return Exported()


if __name__ == "__main__":
    sys.exit(main())
