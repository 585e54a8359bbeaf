#!/usr/bin/env python3
"""Opens a door for a smile: looks at new frames, finds faces in them, asks `ranksweep predict` what the
best trial of a sweep makes of them, and runs a command when enough of the last frames smile.

    door.py results.db --folder crops/ --open 'echo open'                # each new file is the crop of a face
    door.py results.db --folder frames/ --detector opencv --open ...     # finds the faces in each new file
    door.py results.db --camera /dev/video0 --open ...                   # the same in frames of a V4L2 camera

Writes a line of JSON for each frame. A detector of your own is a command: it is given the path of a
frame and that of an empty folder, and leaves the crops of the faces there as JPEG or PNG files. Needs
Python's standard library, and python3-opencv and opencv-data for a camera or the detector `opencv`.
"""

import argparse
import collections
import datetime
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

CASCADE = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml"  # of Debian's opencv-data
MARGIN = 0.2  # of a found face's side, on each side: the cascade's boxes cut off chin and hair
IMAGES = (".jpg", ".jpeg", ".png")


def opencv():
    try:
        import cv2
    except ImportError:
        sys.exit("door: OpenCV is not there: apt install python3-opencv opencv-data; crops of faces in a "
                 "--folder, or a --detector command, need none")
    return cv2


class Folder:
    """The images that have come into a folder since the last look, by name. A file should come whole: written
    elsewhere and then renamed."""

    def __init__(self, path):
        self.path, self.seen = path, set()

    def look(self, _place):
        new = sorted(path for path in self.path.iterdir()
                     if path.suffix.lower() in IMAGES and path not in self.seen)
        self.seen.update(new)
        return new


class Camera:
    """As many frames of a camera as decide, a fifth of a second apart."""

    def __init__(self, device, frames):
        self.cv2, self.frames = opencv(), frames
        self.capture = self.cv2.VideoCapture(device, self.cv2.CAP_V4L2)
        if not self.capture.isOpened():
            sys.exit(f"door: {device} is no camera that can be read")

    def look(self, place):
        paths = []
        for index in range(self.frames):
            good, pixels = self.capture.read()
            if good:
                paths.append(place / f"frame-{index}.jpg")
                self.cv2.imwrite(str(paths[-1]), pixels)
            time.sleep(0.2)
        return paths


class Cascade:
    """Faces as OpenCV's classic detector finds them."""

    def __init__(self):
        self.cv2 = opencv()
        self.cascade = self.cv2.CascadeClassifier(CASCADE)
        if self.cascade.empty():
            sys.exit(f"door: {CASCADE} is not there: apt install opencv-data")

    def crop(self, frame, place):
        pixels = self.cv2.imread(str(frame))
        if pixels is None:
            return []
        grey = self.cv2.cvtColor(pixels, self.cv2.COLOR_BGR2GRAY)
        crops = []
        for x, y, width, height in self.cascade.detectMultiScale(grey, 1.1, 5, minSize=(48, 48)):
            margin = int(MARGIN * width)
            crops.append(place / f"face-{len(crops)}.jpg")
            self.cv2.imwrite(str(crops[-1]), pixels[max(y - margin, 0):y + height + margin,
                                                    max(x - margin, 0):x + width + margin])
        return crops


class DetectorCommand:
    """Faces as a program of the user finds them."""

    def __init__(self, command):
        self.command = shlex.split(command)

    def crop(self, frame, place):
        subprocess.run([*self.command, frame, place], check=True)
        return sorted(path for path in place.iterdir() if path.suffix.lower() in IMAGES)


class WholeFrame:
    """The frame is the crop of a face."""

    def crop(self, frame, _place):
        return [frame]


def predict(options, crops):
    """What the trial makes of each crop: its class, or None where it cannot be read."""
    boundary = ["--threshold", options.threshold] if options.threshold is not None else ["--precision", options.precision]
    done = subprocess.run(
        [options.ranksweep, "predict", options.database, "-", "--class", options.smile, *map(str, boundary),
         "--format", "json"],
        input="".join(f"{crop}\n" for crop in crops), text=True, stdout=subprocess.PIPE)
    if done.returncode not in (0, 1):  # 1: a crop is no image
        sys.exit(done.returncode)
    return [(row["class"], row[f"p_{options.smile}"]) for row in json.loads(done.stdout)]


def say(**entry):
    print(json.dumps({"time": datetime.datetime.now().isoformat(timespec="milliseconds"), **entry}), flush=True)


def decide(options, source, detector, recent):
    """Looks once. `recent`: whether the last frames had a smile, the oldest first; forgotten when the door opens,
    so that each opening needs smiles of its own."""
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        found = []
        for index, frame in enumerate(source.look(place)):
            crops = place / str(index)
            crops.mkdir()
            found.append((frame, detector.crop(frame, crops)))
        faces = [crop for _, crops in found for crop in crops]
        answers = iter(predict(options, faces) if faces else [])
        for frame, crops in found:
            judged = [next(answers) for _ in crops]
            recent.append(any(taken == options.smile for taken, _ in judged))
            opens = sum(recent) >= options.smiles
            say(frame=str(frame), faces=len(crops), smiling=[p for _, p in judged], smile=recent[-1],
                smiles=sum(recent), of=len(recent), opens=opens)
            if opens:
                recent.clear()
                status = subprocess.run(shlex.split(options.open)).returncode
                if status != 0:
                    say(error=f"{options.open}: exit status {status}")
        return len(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", help="the results of a sweep, its checkpoints beside it")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--folder", type=pathlib.Path, help="watch this folder for new images")
    source.add_argument("--camera", help="a V4L2 device, such as /dev/video0")
    parser.add_argument("--detector", help="opencv, or a command; a folder's files are crops without it")
    parser.add_argument("--open", required=True, help="the command that opens the door")
    parser.add_argument("--class", dest="smile", default="smile", help="the class that opens it")
    parser.add_argument("--precision", type=float, default=0.95, help="as for `ranksweep predict`")
    parser.add_argument("--threshold", type=float, help="instead of the one that --precision chooses")
    parser.add_argument("--smiles", type=int, default=3, help="frames that must smile ...")
    parser.add_argument("--frames", type=int, default=5, help="... of so many")
    parser.add_argument("--interval", type=float, default=1, help="seconds between two looks")
    parser.add_argument("--once", action="store_true", help="look once and end")
    parser.add_argument("--ranksweep", default="ranksweep", help="the program, where it is not in PATH")
    options = parser.parse_args()
    if not 1 <= options.smiles <= options.frames:
        parser.error(f"--smiles {options.smiles} of --frames {options.frames} can never be")

    frames = Camera(options.camera, options.frames) if options.camera else Folder(options.folder)
    if options.detector == "opencv" or (options.camera and not options.detector):
        detector = Cascade()
    else:
        detector = DetectorCommand(options.detector) if options.detector else WholeFrame()
    recent = collections.deque(maxlen=options.frames)
    while True:
        decide(options, frames, detector, recent)
        if options.once:
            return
        time.sleep(options.interval)


if __name__ == "__main__":
    main()
