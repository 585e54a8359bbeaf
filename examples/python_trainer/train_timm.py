"""Trains any network of timm on a folder of images, train/CLASS/* and val/CLASS/*. Needs torch, torchvision and timm."""

import timm
import torch
from ranksweep_trainer import serve
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


def load_split(trial, split):
    size = trial.parameters["image_size"]
    transform = transforms.Compose([transforms.Resize((size, size)), transforms.ToTensor()])
    return datasets.ImageFolder(f"{trial.data['path']}/{split}", transform)


def validate(model, images, device):
    model.eval()
    loss, correct, predicted = 0.0, 0, set()
    with torch.inference_mode():
        for batch, labels in DataLoader(images, batch_size=64):
            logits, labels = model(batch.to(device)), labels.to(device)
            loss += cross_entropy(logits, labels, reduction="sum").item()
            correct += (logits.argmax(1) == labels).sum().item()
            predicted.update(logits.argmax(1).tolist())
    return {"val_loss": loss / len(images), "val_accuracy": correct / len(images), "val_images": len(images),
            "val_classes_predicted": len(predicted)}


def train(trial):
    wanted = trial.parameters
    device = torch.device(trial.device)
    torch.set_num_threads(trial.threads)
    torch.manual_seed(wanted["seed"])
    images, validation = load_split(trial, "train"), load_split(trial, "val")
    model = timm.create_model(wanted["model"], pretrained=wanted["pretrained"], num_classes=len(images.classes)).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=wanted["learning_rate"])
    if trial.checkpoint:
        state = torch.load(trial.checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])

    def save(path):
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)

    for epoch in trial.epochs():
        # So that an attempt which goes on from a checkpoint sees the images in the order of one that was not disturbed.
        torch.manual_seed(wanted["seed"] * 1_000_003 + epoch)
        model.train()
        train_loss = 0.0
        batches = DataLoader(images, batch_size=wanted["batch_size"], shuffle=True)
        for step, (batch, labels) in enumerate(batches, start=1):
            loss = cross_entropy(model(batch.to(device)), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            train_loss += loss.item() * len(labels) / len(images)
            trial.progress(step, len(batches))
        trial.report(**validate(model, validation, device), train_loss=train_loss, train_images=len(images),
                     learning_rate=wanted["learning_rate"], save=save, suffix=".pt")


serve(train)
